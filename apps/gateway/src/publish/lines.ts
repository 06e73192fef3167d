/**
 * A stream of events, one a line (application/x-ndjson), of any length: read in portions, each of which is in Redis
 * before the next is read, so that a slow Redis slows the client and memory stays bounded.
 *
 * The answer names bad lines by number. The good ones are queued all the same: a stream cannot be refused as a whole,
 * because its first portions are in Redis before its last are read. If any line was bad the answer is 422, so that a
 * client that looks at the status alone does not believe that all were taken. After a thousand bad lines the rest is not
 * read. With `Prefer: handling=lenient` all of it is read, and the answer is 200 if any line was good.
 */
import type { IncomingMessage } from 'node:http'
import { SekaliError, TopicLimit, TopicRate } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import { createLineSplitter, isBlank, type Line } from '@sekali/core/lines'
import { readEvent } from '@sekali/core/parse'
import { cloudEventHint } from '../http/cloud-events.ts'
import { applied, readPreferences } from '../http/prefer.ts'
import { type BadLine, type ProblemExtras, refusal, retryIn } from '../http/problem.ts'
import type { ProblemCode } from '../http/problems.ts'
import { type Answer, answer } from '../http/reply.ts'
import { IncompleteBody } from './body.ts'
import { readChunks, TooSlow } from './body-chunks.ts'
import type { PublishDeps } from './deps.ts'

/** Events and characters that are read ahead of Redis. */
const portionEventsMax = 500
const portionCharsMax = 512 * 1024
/** Bad lines that are named. */
const badLinesNamedMax = 100
/** Bad lines after which the rest is not read. */
const badLinesMax = 1_000

export async function publishLines(deps: PublishDeps, request: IncomingMessage): Promise<Answer> {
  const { random, patience } = deps
  const client = deps.clients.of(request)
  using stream = deps.streams.share(client)
  stream.hold(1)
  using share = deps.budget.share(client)
  const splitter = createLineSplitter()
  const { isLenient } = readPreferences(request.headers.prefer)
  const reader = createReader(isLenient ? Number.POSITIVE_INFINITY : badLinesMax)
  let queued = 0
  let lines_read = 0

  const refuse = (code: ProblemCode, extras?: ProblemExtras) =>
    refusal(code, { queued, lines_read, ...extras })

  /** The detail if no line was taken: the headers may show what was sent. */
  const ofNone = () => (queued === 0 ? cloudEventHint(request.headers) : undefined)

  /** Reads and queues lines. Resolves with the answer if there is one before the stream's end. */
  async function publish(lines: Iterator<Line>): Promise<Answer | undefined> {
    for (;;) {
      const { isOver, events, last } = await deps.timeSlices.run(client, reader.read(lines))
      if (events.length > 0) {
        await deps.newTopics.admit(client, events)
        const appended = await deps.appendPortions(client, events, deps.appender.appendAll)
        queued += appended.queued
        deps.onAccepted(appended.queued)
        if (appended.failure) return refuse('broker_unavailable', { random })
      }
      lines_read = last
      const { invalid } = reader.bad()
      if (invalid >= badLinesMax && !isLenient)
        return refuse('invalid_lines', { ...reader.bad(), detail: tooManyBad, ...ofNone() })
      if (isOver) return undefined
    }
  }

  try {
    for await (const chunk of readChunks(request, splitter.begun, patience)) {
      share.hold(splitter.heldBytes() + chunk.length)
      const stopped = await publish(splitter.split(chunk))
      if (stopped) return stopped
      share.hold(splitter.heldBytes())
    }
    const stopped = splitter.begun() && (await publish([splitter.take()].values()))
    if (stopped) return stopped
  } catch (error) {
    const [code, extras] = refusalIn(error, random)
    return refuse(code, extras)
  }
  const { invalid, lines } = reader.bad()
  const headers = applied({ isLenient })
  if (invalid > 0 && !isLenient) return refuse('invalid_lines', { invalid, lines, ...ofNone() })
  if (invalid > 0 && queued === 0)
    return refuse('invalid_lines', { invalid, lines, detail: allBad, ...ofNone(), headers })
  if (!isLenient) return answer(200, `{"status":"queued","queued":${queued}}`)
  const body = JSON.stringify({ status: 'queued', queued, lines_read, invalid, lines })
  return answer(200, body, { 'Content-Type': 'application/json', ...headers })
}

/** The answer to an error in the middle of a stream. An error that no client can do anything about is thrown again. */
function refusalIn(error: unknown, random: () => number): [code: ProblemCode, extras?: ProblemExtras] {
  if (error instanceof IncompleteBody) return ['incomplete_body']
  if (error instanceof TooSlow) return [error.code, { detail: tooSlow }]
  if (error instanceof TopicRate) return [error.code, { headers: retryIn(error) }]
  if (error instanceof TopicLimit) return [error.code]
  if (error instanceof SekaliError && error.retryable) return [error.code as ProblemCode, { random }]
  throw error
}

const allBad = 'No line is an event. Nothing is queued.'
const tooSlow = 'The next line took too long to come. Send again what is behind lines_read.'
const tooManyBad = `${badLinesMax.toLocaleString('en')} lines are not events, so nothing behind lines_read was read. The others up to there are queued.`

interface Portion {
  readonly events: readonly Event[]
  /** The number of the last line that was read. */
  readonly last: number
  /** Whether there are no more lines. */
  readonly isOver: boolean
}

/** Reads lines in portions, and remembers which were bad. */
function createReader(invalidMax: number) {
  let invalid = 0
  let last = 0
  const named: BadLine[] = []
  return {
    bad: () => ({ invalid, lines: named }),
    *read(lines: Iterator<Line>): Generator<undefined, Portion> {
      const events: Event[] = []
      let chars = 0
      while (events.length < portionEventsMax && chars < portionCharsMax && invalid < invalidMax) {
        const { value: line, done } = lines.next()
        if (done) return { events, last, isOver: true }
        last = line.number
        chars += line.text?.length ?? 0
        const read = readLine(line)
        if (read === undefined) {
          // A blank line.
        } else if ('eventId' in read) events.push(read)
        else if (++invalid <= badLinesNamedMax) named.push({ line: line.number, errors: read.errors })
        yield
      }
      return { events, last, isOver: false }
    },
  }
}

/** `undefined` for a blank line. */
function readLine({ text, issue }: Line): Event | Pick<BadLine, 'errors'> | undefined {
  if (issue !== undefined) return { errors: [issue] }
  if (text === undefined || isBlank(text)) return undefined
  const read = readEvent(text)
  if ('eventId' in read) return read
  return read.code === 'malformed_json' ? notJson : { errors: read.issues }
}

const notJson = { errors: [{ path: '', code: 'malformed_json', message: 'must be JSON' }] }
