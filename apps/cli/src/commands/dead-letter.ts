/** Dead letters and conflicts: what could not be stored, and what is done about it. */
import { discardLetter, listLetters, publishLetterAs } from '@sekali/client/letters'
import type { Letter, LettersQuery } from '@sekali/client/operate'
import { letterKinds } from '@sekali/core/letter'
import { limits } from '@sekali/core/limits'
import { type Command, Option } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { requireSpan, timesHelp } from '../filters.ts'
import { plain, table } from '../terminal/text.ts'
import { time } from '../time.ts'
import { calls } from './calls.ts'
import { compare, show } from './letter-content.ts'
import { redrive } from './redrive.ts'

export function addDeadLetter(program: Command, surroundings: Surroundings): void {
  const letter = program
    .command('dead-letter')
    .summary('what could not be stored, conflicts, and what is done about them')
    .description(
      'Lists dead letters: entries (e-…), conflicts (c-…) and deliveries (d-…), which the workers of a subscription could not do. ' +
        'Shows them, and settles them. A letter is open until it is redriven, discarded or published under another id; the ' +
        'figures count it either way.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali dead-letter list --topic 'orders.>'
  $ sekali dead-letter compare c-7
  $ sekali dead-letter redrive --reason 23514 --dry-run
  $ sekali dead-letter redrive --reason 23514 --expect 412
  $ sekali dead-letter redrive --subscription mailer --dry-run
  $ sekali dead-letter publish-as c-7 order-1b
  $ sekali dead-letter discard e-12 --reason 'a test of ours'
`,
    )
  const listing = letter
    .command('list')
    .description('Lists letters, newest first: the open ones, unless --state says otherwise.')
  addLetterFilters(listing)
    .addOption(new Option('-k, --kind <kind>', 'only these').choices(letterKinds))
    .addOption(
      new Option('--state <state>', 'what came of them (default: open)').choices([
        ...['open', 'redriven', 'discarded', 'published_as', 'all'],
      ]),
    )
    .option('-n, --limit <n>', 'at most this many', wholeNumber(1, Number.MAX_SAFE_INTEGER), 20)
    .addHelpText('after', `\n${timesHelp}\n`)
    .addHelpText('after', calls('listLetters'))
    .action(action(surroundings, list))
  letter
    .command('show')
    .description('Shows a letter with its content, as it was sent.')
    .argument('<id>')
    .addHelpText('after', calls('readLetter'))
    .action(action(surroundings, show))
  letter
    .command('compare')
    .description('Shows in what a conflict differs from the event that has its id.')
    .argument('<id>')
    .addHelpText('after', calls('readLetter'))
    .action(action(surroundings, compare))
  const redriving = letter
    .command('redrive')
    .description(
      'Appends open dead letters once more, once their cause is mended; with --subscription workers get deliveries again. It ' +
        'counts first and asks; a script says --expect or --yes. Letters that come meanwhile are not in it.',
    )
    .argument('[id]', 'this one; without it, all that the options name')
  addLetterFilters(redriving)
    .option('--rate <n>', 'events a second', wholeNumber(1, 10_000), 50)
    .option('--dry-run', 'count, and do nothing')
    .option('--expect <n>', 'go on if so many match', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('-y, --yes', 'go on, however many match')
    .option('--no-wait', 'do not wait until it is done: see sekali operation')
    .addHelpText('after', `\n${timesHelp}\n`)
    .addHelpText('after', calls('redrive'))
    .action(action(surroundings, redrive))
  letter
    .command('discard')
    .description('Marks a letter as done with.')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why, for the audit log')
    .addHelpText('after', calls('discardLetter'))
    .action(action(surroundings, discard))
  letter
    .command('publish-as')
    .description('Publishes the content of a conflict under another event id.')
    .argument('<id>')
    .argument('<event-id>')
    .addHelpText('after', calls('publishAs'))
    .action(action(surroundings, publishAs))
}

const addLetterFilters = (command: Command): Command =>
  command
    .option('--topic <topic>', 'only of this topic, or of those of a pattern')
    .option('--subscription <name>', 'only deliveries of this subscription')
    .option(
      '--reason <reason>',
      'only with this reason: malformed_entry, key_collision, a SQLSTATE such as 23514, exhausted or terminated',
    )
    .option('-f, --from <time>', 'only received from this time on: 1h (ago), yesterday, RFC 3339', time)
    .option('--to <time>', 'only received before this time', time)

interface ListOptions extends LettersQuery {
  readonly limit: number
}

const list = async (
  { connection, options, json, out }: Context,
  _: string[],
  { limit, ...filter }: ListOptions,
) => {
  requireSpan(filter)
  const letters: Letter[] = []
  const query = { ...filter, limit: Math.min(limit, limits.pageSizeMax) }
  for await (const letter of listLetters(connection, query, options)) {
    letters.push(letter)
    if (letters.length === limit) break
  }
  if (json) for (const letter of letters) await out.line(JSON.stringify(letter))
  else if (letters.length === 0) await out.line('no dead letters')
  else
    for (const line of table(
      ['id', 'received', 'topic', 'event id', 'reason', 'state'],
      letters.map(row),
      [0, 1, 2, 3, 4, 5],
    ))
      await out.line(line)
  return undefined
}

const row = ({ id, topic, event_id, reason, subscription, received_at, kept, settled }: Letter): string[] => [
  plain(id),
  `${received_at.slice(0, 19)}Z`,
  plain(topic),
  plain(event_id ?? '?'),
  plain(subscription === undefined ? reason : `${reason} of ${subscription}`),
  [settled === undefined ? 'open' : settled.became.replace('_', ' '), ...(kept ? [] : ['nothing kept'])].join(
    ', ',
  ),
]

const discard = async (context: Context, [given]: string[], { reason }: { readonly reason: string }) => {
  const { connection, options, json, out } = context
  const letter = await discardLetter(connection, required(given), reason, options)
  await out.line(json ? JSON.stringify(letter) : `${plain(letter.id)} is discarded`)
  return undefined
}

const publishAs = async (context: Context, [given, as]: string[]) => {
  const { connection, options, json, out } = context
  const eventId = required(as)
  const letter = await publishLetterAs(connection, required(given), eventId, options)
  await out.line(json ? JSON.stringify(letter) : `${plain(letter.id)} is published as ${plain(eventId)}`)
  return undefined
}
