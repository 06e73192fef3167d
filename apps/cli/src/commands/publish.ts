import { randomUUID } from 'node:crypto'
import { createLineSplitter } from '@sekali/client/lines'
import { publish } from '@sekali/client/publish'
import { publishAll } from '@sekali/client/publish-all'
import type { Issue } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { number, plain, styled } from '../text.ts'

interface Options {
  readonly id?: string
  readonly source?: string
  readonly timestamp?: string
  readonly wait?: number
}

export function addPublish(program: Command, surroundings: Surroundings): void {
  program
    .command('publish')
    .summary('publish one event, or a stream of them from standard input')
    .description(
      'Publishes an event and says when it is safely queued. Without arguments it reads events from standard ' +
        'input, one JSON object a line, and publishes them in batches, as fast as Sekali takes them.',
    )
    .argument('[topic]', 'such as orders.eu.paid')
    .argument('[payload]', 'a JSON object; it is stored as it is written here, digit by digit')
    .option('--id <id>', 'what a repeat is recognised by (default: a new one, so that nothing is a repeat)')
    .option('--source <name>', 'who sends it (default: sekali-cli)')
    .option('--timestamp <time>', 'ISO 8601 with an offset (default: now)')
    .option('--wait <seconds>', 'wait until it is known what came of it', wholeNumber(1, 60))
    .addHelpText(
      'after',
      `
Examples:
  $ sekali publish orders.eu.paid '{"total": 12.50}' --id order-1
  $ sekali publish orders.eu.paid '{"total": 12.50}' --id order-1 --wait 5
  duplicate orders.eu.paid order-1: it is stored as seq 1

  $ sekali publish < events.ndjson
  $ sekali replay orders.eu.paid | jq -c 'del(.seq, .received_at, .stored_at)' | sekali publish --url http://other:8080

To publish again is safe: an id is stored once. Lines that are no events are named, the others are published.
`,
    )
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic, payload]: string[], options: Options) => {
  if (topic !== undefined) return await publishOne(context, topic, payload, options)
  if (Object.keys(options).length > 0)
    throw new UsageError('--id, --source, --timestamp and --wait need a TOPIC')
  if (process.stdin.isTTY)
    throw new UsageError('nothing to publish: name a TOPIC and a PAYLOAD, or pipe events in')
  return await publishLines(context)
}

async function publishOne(
  { connection, options: call, json, out }: Context,
  topic: string,
  payload: string | undefined,
  options: Options,
): Promise<undefined> {
  const { id = randomUUID(), source = 'sekali-cli', timestamp = new Date().toISOString(), wait } = options
  if (payload === undefined || !isJson(payload)) {
    throw new UsageError(`the PAYLOAD must be JSON, in quotes for the shell, for instance '{"total": 12.50}'`)
  }
  // By concatenation, because JSON.parse and JSON.stringify would round what is beyond a double.
  const fields = JSON.stringify({ topic, event_id: id, timestamp, source })
  const event = `${fields.slice(0, -1)},"payload":${payload}}`
  const published = await publish(connection, event, { ...call, waitSeconds: wait })
  if (json) await out.line(JSON.stringify({ topic, ...published }))
  else
    await out.line(`${styled('green', published.status)} ${plain(topic)} ${plain(id)}${explained(published)}`)
}

function explained(published: Awaited<ReturnType<typeof publish>>): string {
  if (published.status === 'stored') return ` as seq ${published.seq}`
  if (published.status === 'duplicate') return `: it is stored as seq ${published.seq}`
  return ''
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

interface Refusal {
  readonly line: number
  readonly issues: readonly Issue[]
}

const refusalsNamedMax = 20
const progressEveryMs = 200

async function publishLines({ connection, options, json, out, say, signal }: Context): Promise<number> {
  const refusals: Refusal[] = []
  const skipped: number[] = [] // before which event a line was blank
  let counts = { queued: 0, refused: 0 }
  const watched = !json && process.stderr.isTTY
  const show = () => process.stderr.write(`\r${number(counts.queued)} events queued `)
  const progress = watched ? setInterval(show, progressEveryMs) : undefined
  try {
    counts = await publishAll(connection, linesOf(process.stdin, skipped), {
      ...options,
      onProgress: (now) => {
        counts = now
      },
      onRefused: (index, { issues, message }) => {
        const line = index + 1 + skipped.filter((before) => before <= index).length
        if (refusals.length < refusalsNamedMax) refusals.push({ line, issues })
        if (!json && counts.refused < refusalsNamedMax) say(`line ${line}: ${plain(message)}`)
      },
    })
  } catch (error) {
    // How far it came is what one wants to know now. To publish all of it again is safe.
    say(`stopped: ${number(counts.queued)} events were queued; to publish all of them again is safe`)
    throw error
  } finally {
    clearInterval(progress)
    if (watched) process.stderr.write('\r\u001b[K')
    process.stdin.destroy() // it may have more to say, and would keep us up
    signal.throwIfAborted()
  }
  const { queued, refused } = counts
  if (json) await out.line(JSON.stringify({ queued, refused, refusals }))
  else await out.line(`${number(queued)} events queued${refused > 0 ? `, ${number(refused)} refused` : ''}`)
  return refused > 0 ? exitCodes.refused : exitCodes.done
}

/** The lines that are not blank. One that is too long comes as what it cannot be: an event. */
async function* linesOf(input: AsyncIterable<Uint8Array>, skipped: number[]): AsyncGenerator<string, void> {
  const splitter = createLineSplitter(limits.bodyBytesMax)
  let events = 0
  const texts = function* (lines: (string | undefined)[]) {
    for (const line of lines) {
      if (line?.trim() === '') {
        skipped.push(events)
        continue
      }
      events += 1
      yield line ?? ''
    }
  }
  for await (const chunk of input) yield* texts(splitter.push(chunk))
  yield* texts(splitter.end())
}
