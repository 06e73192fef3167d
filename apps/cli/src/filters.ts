import { normalizeTimestamp } from '@sekali/core/timestamp'
import { type Command, Option } from 'commander'
import { wholeNumber } from './arguments.ts'
import { UsageError } from './exit.ts'
import { time } from './time.ts'

/** The options of everything that reads the log; their names are those of EventsQuery. */
export function addFilters(command: Command): Command {
  return command
    .option(
      '-a, --after <seq>',
      'only events after this seq (2.600: of epoch 2), or after the cursor of a pattern',
    )
    .option('-b, --before <seq>', 'only events before it')
    .option('-s, --source <name>', 'only events of this source')
    .option(
      '-f, --from <time>',
      'only events from this time on: 1h (ago), yesterday, 2026-11-25, RFC 3339',
      time,
    )
    .option('-t, --to <time>', 'only events before this time', time)
    .addOption(
      new Option('--by <time>', 'which time --from and --to are about (default: timestamp)').choices([
        'timestamp',
        'received_at',
      ]),
    )
    .addOption(new Option('-o, --order <order>', 'oldest or newest first').choices(['asc', 'desc']))
    .option('-n, --limit <n>', 'at most this many', wholeNumber(1, Number.MAX_SAFE_INTEGER))
}

/** Throws UsageError for a time span that ends before it begins. */
export function requireSpan({
  from,
  to,
}: {
  readonly from?: string | undefined
  readonly to?: string | undefined
}): void {
  const [first, last] = [from, to].map((time) => normalizeTimestamp(time ?? ''))
  if (first === undefined || last === undefined || first <= last) return
  throw new UsageError('--from must be before --to')
}

/** Told with the help of whatever takes a time. */
export const timesHelp = `Times are UTC: 1h, 30m, 2d or 1d12h ago, now, today and yesterday (their midnight), 2026-11-25,
2026-11-25T10:00, or RFC 3339 with an offset.`
