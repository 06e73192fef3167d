import { type Command, Option } from 'commander'
import { wholeNumber } from './arguments.ts'

/** The options of everything that reads the log; their names are those of EventsQuery. */
export function addFilters(command: Command): Command {
  return command
    .option('--after <seq>', 'only events after this seq, or after the cursor of a pattern')
    .option('--before <seq>', 'only events before it')
    .option('--source <name>', 'only events of this source')
    .option('--from <time>', 'only events from this time on (ISO 8601 with an offset)')
    .option('--to <time>', 'only events before this time')
    .addOption(
      new Option('--by <time>', 'which time --from and --to are about').choices(['timestamp', 'received_at']),
    )
    .addOption(new Option('--order <order>', 'oldest or newest first').choices(['asc', 'desc']))
    .option('--limit <n>', 'at most this many', wholeNumber(1, Number.MAX_SAFE_INTEGER))
}
