import type { EventsQuery } from '@sekali/client/answers'
import { replayText } from '@sekali/client/read'
import type { Command } from 'commander'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { addFilters } from '../filters.ts'

export function addReplay(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('replay')
    .summary('read the log again: one event a line, as JSON')
    .description(
      'Writes all events of a topic, oldest first, one JSON object a line (NDJSON), as fast as they are read. Of a ' +
        'pattern, the topics are merged by the time they were stored.',
    )
    .argument('<topic>', "a topic, or a pattern such as 'orders.*' or 'orders.>'")
  addFilters(command)
    .addHelpText(
      'after',
      `
Examples:
  $ sekali replay orders.eu.paid | jq .payload.total
  $ sekali replay orders.eu.paid --after 41 | head -n 1            seq 42
  $ sekali replay 'orders.>' --from 2025-12-08T00:00:00Z --to 2025-12-09T00:00:00Z > day.ndjson
  $ sekali replay orders.eu.paid --order desc --limit 10           the last ten, newest first
`,
    )
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic]: string[], query: EventsQuery) => {
  const { connection, options, out, json, report, signal } = context
  const texts = replayText(connection, { ...query, topic: required(topic) }, options)
  let count = 0
  try {
    for await (const text of texts) {
      await out.line(text)
      count += 1
    }
  } catch (error) {
    if (count > 0 && !json && !signal.aborted)
      report(`the replay broke off after ${count} events: there are more`)
    throw error
  }
  return undefined
}
