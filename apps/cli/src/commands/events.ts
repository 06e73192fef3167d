import type { EventsQuery } from '@sekali/client/answers'
import { replayText } from '@sekali/client/read'
import type { Command } from 'commander'
import { action, type Context, type Surroundings } from '../context.ts'
import { addFilters } from '../filters.ts'
import { eventLine } from '../text.ts'

const limitDefault = 20

export function addEvents(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('events')
    .summary('show the newest events')
    .description(`Shows the newest events, ${limitDefault} of them unless --limit says otherwise.`)
    .argument('[topic]', 'a topic or a pattern (default: all)')
  addFilters(command)
    .addHelpText(
      'after',
      `
Examples:
  $ sekali events
  $ sekali events orders.eu.paid --limit 5
  $ sekali events orders.eu.paid --source checkout-1 --before 100
`,
    )
    .action(action(surroundings, run))
}

const run = async ({ connection, options, json, out }: Context, [topic]: string[], query: EventsQuery) => {
  const wanted = { limit: limitDefault, ...query, ...(topic !== undefined && { topic }) }
  let isEmpty = true
  for await (const text of replayText(connection, wanted, options)) {
    isEmpty = false
    await out.line(json ? text : eventLine(text))
  }
  if (isEmpty && !json) await out.line('no events')
  return undefined
}
