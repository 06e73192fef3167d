import { randomUUID } from 'node:crypto'
import { publish } from '@sekali/client/publish'
import { publishAll } from '@sekali/client/publish-all'
import type { Issue } from '@sekali/core/errors'
import { createLineSplitter, isBlank, type Line } from '@sekali/core/lines'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { count, number, plain, styled } from '../terminal/text.ts'
import { time } from '../time.ts'
import { calls } from './calls.ts'

interface Options {
  readonly id?: string
  readonly source?: string
  readonly timestamp?: string
  readonly wait?: number
  readonly lenient?: boolean
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
    .option(
      '-i, --id <id>',
      'what a repeat is recognised by (default: a new one, so that nothing is a repeat)',
    )
    .option('-s, --source <name>', 'who sends it (default: sekali-cli)')
    .option(
      '--timestamp <time>',
      'when it happened: RFC 3339, 5m (ago), 2026-11-25T10:00 (default: now)',
      time,
    )
    .option('--wait <seconds>', 'wait until it is known what came of it', wholeNumber(1, 60))
    .option('-l, --lenient', 'of lines: end with 0 although some are refused, if any was queued')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali publish orders.eu.paid '{"total": 12.50}' --id order-1
  $ sekali publish orders.eu.paid '{"total": 12.50}' --id order-1 --wait 5
  duplicate orders.eu.paid order-1: it is stored as seq 1

  $ sekali publish < events.ndjson
  $ sekali replay orders.eu.paid --events | sekali publish --url http://other:8080

To publish again is safe: an id is stored once. Lines that are no events are named, the others are published.
`,
    )
    .addHelpText('after', calls('publish'))
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic, payload]: string[], { lenient, ...options }: Options) => {
  if (topic !== undefined && lenient) throw new UsageError('--lenient is for lines, without a TOPIC')
  if (topic !== undefined) return await publishOne(context, topic, payload, options)
  if (Object.keys(options).length > 0)
    throw new UsageError('--id, --source, --timestamp and --wait need a TOPIC')
  if (process.stdin.isTTY)
    throw new UsageError('nothing to publish: name a TOPIC and a PAYLOAD, or pipe events in')
  return await publishLines(context, lenient)
}

async function publishOne(
  { connection, options: call, json, out }: Context,
  topic: string,
  payload: string | undefined,
  options: Options,
): Promise<undefined> {
  const { id = randomUUID(), source = 'sekali-cli', timestamp = new Date().toISOString(), wait } = options
  requireText({ TOPIC: topic, PAYLOAD: payload, '--id': id, '--source': source })
  if (payload === undefined) {
    throw new UsageError(
      'the PAYLOAD is missing; events in a file come as lines: sekali publish < FILE, without a TOPIC',
    )
  }
  if (!isJson(payload)) {
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

/**
 * Node replaces bytes of a command line that are not UTF-8 by U+FFFD: two ids would become one. That character itself can
 * be sent through a pipe.
 */
function requireText(given: Readonly<Record<string, string | undefined>>): void {
  const [name] = Object.entries(given).find(([, text]) => text?.includes('\uFFFD')) ?? []
  if (name === undefined) return
  throw new UsageError(
    `${name} must be UTF-8, without U+FFFD; pipe the event in if it is to have that character`,
  )
}

function explained(published: Awaited<ReturnType<typeof publish>>): string {
  if (published.status === 'stored') return ` as seq ${published.seq}`
  if (published.status === 'duplicate') {
    const { seq, differs = [] } = published
    const ways = differs.map((name) =>
      name === 'payload' ? 'its payload written in another way' : `another ${name}`,
    )
    return `: it is stored as seq ${seq}${ways.length > 0 ? `, with ${ways.join(' and ')}` : ''}`
  }
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

async function publishLines(
  { connection, options, json, out, report, signal }: Context,
  lenient = false,
): Promise<number> {
  const refusals = createRefusals((line, message) => {
    if (!json) report(`line ${line}: ${plain(message)}`)
  })
  let counts = { queued: 0, refused: 0 }
  const lines = createEventLines((line, issue) => refusals.add(line, [issue], issue.message))
  const watched = !json && process.stderr.isTTY
  const show = () => process.stderr.write(`\r${count(counts.queued, 'event')} queued `)
  const progress = watched ? setInterval(show, progressEveryMs) : undefined
  try {
    counts = await publishAll(connection, lines.read(process.stdin), {
      ...options,
      onProgress: (now) => {
        counts = now
        if (now.queued + now.refused === lines.events()) refusals.name()
      },
      onRefused: (index, { issues, message }) => refusals.add(lines.numberOf(index), issues, message),
    })
    refusals.name()
  } catch (error) {
    refusals.name()
    // The operator needs to know how far it came. Publishing all of it again is safe.
    report(`stopped: ${count(counts.queued, 'event')} queued; to publish all of them again is safe`)
    throw error
  } finally {
    clearInterval(progress)
    if (watched) process.stderr.write('\r\u001b[K')
    process.stdin.destroy() // it may have more to say, and would keep us up
    signal.throwIfAborted()
  }
  const { queued } = counts
  const refused = counts.refused + lines.unread()
  if (json) await out.line(JSON.stringify({ queued, refused, refusals: refusals.named }))
  else await out.line(`${count(queued, 'event')} queued${refused > 0 ? `, ${number(refused)} refused` : ''}`)
  return refused > 0 && !(lenient && queued > 0) ? exitCodes.refused : exitCodes.done
}

/**
 * The first lines that are refused, in their order. We refuse some at once, the gateway others later: a line is named once
 * it is known what came of all lines before it.
 */
function createRefusals(onNamed: (line: number, message: string) => void) {
  const named: Refusal[] = []
  let held: (Refusal & { readonly message: string })[] = []
  return {
    named: named as readonly Refusal[],
    add(line: number, issues: readonly Issue[], message: string) {
      held.push({ line, issues, message })
      held.sort((a, b) => a.line - b.line)
      held = held.slice(0, refusalsNamedMax - named.length)
    },
    /** All lines so far are settled, or will not be. */
    name() {
      for (const { line, issues, message } of held) {
        named.push({ line, issues })
        onNamed(line, message)
      }
      held = []
    },
  }
}

/** The lines that may be events: not blank, and readable. `onUnread` gets the ones that cannot be read. */
function createEventLines(onUnread: (line: number, issue: Issue) => void) {
  const passed: number[] = [] // before which event a line was passed over
  let events = 0
  let unread = 0

  function* textsOf(lines: Iterable<Line>): Generator<string, void> {
    for (const { number, text, issue } of lines) {
      if (text !== undefined && !isBlank(text)) {
        events += 1
        yield text
        continue
      }
      passed.push(events)
      if (issue === undefined) continue
      unread += 1
      onUnread(number, issue)
    }
  }

  return {
    async *read(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
      const splitter = createLineSplitter()
      for await (const chunk of input) yield* textsOf(splitter.split(chunk))
      if (splitter.begun() !== undefined) yield* textsOf([splitter.take()])
    },
    events: () => events,
    unread: () => unread,
    /** Of an event, from 0, its line, from 1. */
    numberOf: (event: number) => event + 1 + passed.filter((before) => before <= event).length,
  }
}
