import type { EventsQuery } from '@sekali/client/answers'
import { readText } from '@sekali/client/read'
import { onOneLine } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import type { Command } from 'commander'
import { action, type Context, type Surroundings } from '../context.ts'
import { addFilters, requireSpan, timesHelp } from '../filters.ts'
import { eventLine } from '../terminal/text.ts'
import { calls } from './calls.ts'
import { reportNothing } from './no-topic.ts'

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
  $ sekali events 'orders.>' --from 1h

${timesHelp}
`,
    )
    .addHelpText('after', calls('readEvents'))
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic]: string[], query: EventsQuery) => {
  requireSpan(query)
  const { connection, options, json, out } = context
  const { limit = limitDefault } = query
  const wanted = {
    ...query,
    limit: Math.min(limit, limits.pageSizeMax),
    ...(topic !== undefined && { topic }),
  }
  let count = 0
  for await (const text of readText(connection, wanted, options)) {
    await out.line(json ? onOneLine(text) : eventLine(text))
    if (++count === limit) break
  }
  if (count > 0 || json) return undefined
  await out.line('no events')
  await reportNothing(context, wanted)
  return undefined
}
