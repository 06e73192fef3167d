import type { EventsQuery, StoredEvent } from '@sekali/client/answers'
import { replayText } from '@sekali/client/read'
import { LogRestored } from '@sekali/core/errors'
import { fieldNames } from '@sekali/core/event'
import { findPayload } from '@sekali/core/payload'
import type { Command } from 'commander'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { addFilters, requireSpan, timesHelp } from '../filters.ts'
import { openFileProgress } from '../terminal/file-progress.ts'
import { calls } from './calls.ts'
import { reportNothing } from './no-topic.ts'

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
    .option(
      '-e, --events',
      'write events as sekali publish takes them, without what Sekali added: a copy of the log',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali replay orders.eu.paid | jq .payload.total
  $ sekali replay orders.eu.paid --after 41 | head -n 1            seq 42
  $ sekali replay 'orders.>' --from yesterday --to today > day.ndjson
  $ sekali replay orders.eu.paid --order desc --limit 10           the last ten, newest first
  $ sekali replay 'orders.>' --events | sekali publish --url http://other:8080

With --events no digit of a payload changes, where jq would round 9007199254740993 and 12.50. Its line breaks become
spaces, and U+0085, U+2028 and U+2029 become escapes, as an event is one line: the value is the same, the text is not.

${timesHelp}
`,
    )
    .addHelpText('after', calls('readEvents'))
    .action(action(surroundings, run))
}

interface Options extends EventsQuery {
  readonly events?: boolean
}

const run = async (context: Context, [operand]: string[], { events = false, ...query }: Options) => {
  requireSpan(query)
  const { connection, options, out, json, report, signal } = context
  const topic = required(operand)
  const texts = replayText(connection, { ...query, topic }, options)
  let written = 0
  using progress = json ? undefined : openFileProgress()
  try {
    for await (const text of texts) {
      const line = events ? eventAsSent(text) : text
      await out.line(line)
      written += 1
      progress?.note(line)
    }
  } catch (error) {
    if (written > 0 && !json && !signal.aborted && !(error instanceof LogRestored))
      report(`the replay broke off after ${written} event${written === 1 ? '' : 's'}: there are more`)
    throw error
  }
  if (written === 0 && !json) await reportNothing(context, { ...query, topic })
  return undefined
}

/** The fields of an event that its publisher sent; the payload's text is not parsed and printed, which would round. */
function eventAsSent(text: string): string {
  const event = JSON.parse(text) as StoredEvent
  const members = fieldNames
    .filter((name) => event[name] !== undefined)
    .map((name) => `"${name}":${name === 'payload' ? findPayload(text).text : JSON.stringify(event[name])}`)
  return `{${members.join(',')}}`
}
