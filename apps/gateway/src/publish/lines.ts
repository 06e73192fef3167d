/**
 * A stream of events, one a line (application/x-ndjson), of any length: read in batches, each of which is in Redis
 * before the next is read, so that a slow Redis slows the client and memory stays bounded.
 *
 * The answer names bad lines by number. The good ones are queued all the same: a stream cannot be refused as a whole,
 * because its first batches are in Redis before its last are read. If any line was bad the answer is 422, so that a
 * client that looks at the status alone does not believe that all were taken. After a thousand bad lines the rest is not
 * read. With `Prefer: handling=lenient` all of it is read, and the answer is 200 if any line was good.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { ProblemCode } from '@sekali/api/problems'
import { type Issue, SekaliError, TopicLimit } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import { createLineSplitter, isBlank, type Line } from '@sekali/core/lines'
import { readEvent } from '@sekali/core/parse'
import { invalidToken } from '../access/bearer.ts'
import { KeyEnded } from '../access/life.ts'
import { issueOf } from '../access/may.ts'
import { principalOf } from '../access/principals.ts'
import { cloudEventHint } from '../http/cloud-events.ts'
import { applied, readPreferences } from '../http/prefer.ts'
import { type BadLine, type ProblemExtras, refusal, retryExtras } from '../http/problem.ts'
import { type Answer, answer } from '../http/reply.ts'
import { IncompleteBody } from './body.ts'
import { readChunks, TooSlow } from './body-chunks.ts'
import type { PublishDeps } from './deps.ts'
import { pace } from './pace.ts'
import type { RequestTrace } from './trace.ts'

/** Events and characters of a batch of lines, which are read ahead of Redis. */
const batchEventsMax = 500
const batchCharsMax = 512 * 1024
/** Bad lines that are named. */
const badLinesNamedMax = 100
/** Bad lines after which the rest is not read. */
const badLinesMax = 1_000

/** How far a stream has come. */
interface Progress {
  readonly reader: LineReader
  readonly isLenient: boolean
  readonly trace: RequestTrace | undefined
  queued: number
  lines_read: number
}

export async function publishLines(
  deps: PublishDeps,
  request: IncomingMessage,
  trace: RequestTrace | undefined,
): Promise<Answer> {
  const client = deps.clients.of(request)
  using stream = deps.streams.share(client)
  stream.hold(1)
  using share = deps.budget.share(client)
  const splitter = createLineSplitter()
  const { isLenient } = readPreferences(request.headers.prefer)
  const { grant, life, quota } = principalOf(request)
  const reader = createReader({
    invalidMax: isLenient ? Number.POSITIVE_INFINITY : badLinesMax,
    eventsMax: Math.min(batchEventsMax, quota.most.events),
    issueOf: (event) => issueOf(grant, event),
  })
  const progress: Progress = { reader, isLenient, trace, queued: 0, lines_read: 0 }
  const publish = (lines: Iterator<Line>) => publishAll(deps, request, progress, lines)
  try {
    for await (const chunk of readChunks(request, splitter.begun, life, deps.patience)) {
      share.hold(splitter.heldBytes() + chunk.length)
      await pace(request, { events: 0, bytes: chunk.length })
      await publish(splitter.split(chunk))
      if (hasTooManyBad(progress)) break
      share.hold(splitter.heldBytes())
    }
    if (!hasTooManyBad(progress) && splitter.begun()) await publish([splitter.take()].values())
  } catch (error) {
    const [code, extras] = refusalIn(error, deps.random)
    return refuse(progress, code, extras)
  }
  return answerOf(progress, request.headers)
}

/** Reads and queues the lines, until too many are bad. Throws what keeps the rest of the stream from being queued. */
async function publishAll(
  { clients, timeSlices, newTopics, pressure, portions, onAccepted }: PublishDeps,
  request: IncomingMessage,
  progress: Progress,
  lines: Iterator<Line>,
): Promise<void> {
  const client = clients.of(request)
  const { life } = principalOf(request)
  for (;;) {
    const { isOver, events, last } = await timeSlices.run(client, progress.reader.read(lines))
    if (events.length > 0) {
      await pace(request, { events: events.length, bytes: 0 })
      if (life.over !== undefined) throw new KeyEnded(life.over)
      pressure.admit(events)
      await newTopics.admit(client, events)
      progress.trace?.note(events)
      const { queued, failure } = await portions.appendAll(client, events, progress.trace?.traceparent)
      progress.queued += queued
      onAccepted(queued)
      if (failure) throw failure
    }
    progress.lines_read = last
    if (isOver || hasTooManyBad(progress)) return
  }
}

const hasTooManyBad = ({ reader, isLenient }: Progress): boolean =>
  !isLenient && reader.bad().invalid >= badLinesMax

const refuse = ({ queued, lines_read }: Progress, code: ProblemCode, extras?: ProblemExtras): Answer =>
  refusal(code, { queued, lines_read, ...extras })

/** The answer to a stream that was read to its end, or until too many lines were bad. `sent` are the request's headers. */
function answerOf(progress: Progress, sent: IncomingHttpHeaders): Answer {
  const { reader, isLenient, queued, lines_read } = progress
  const { invalid, lines } = reader.bad()
  const headers = applied({ isLenient })
  // A hint, if no line was taken and the headers say CloudEvents.
  const bad = { invalid, lines, ...(queued === 0 && cloudEventHint(sent)) }
  if (hasTooManyBad(progress)) return refuse(progress, 'invalid_lines', { detail: tooManyBad, ...bad })
  if (invalid > 0 && !isLenient) return refuse(progress, 'invalid_lines', bad)
  if (invalid > 0 && queued === 0) {
    return refuse(progress, 'invalid_lines', { detail: allBad, ...bad, headers })
  }
  if (!isLenient) return answer(200, `{"status":"queued","queued":${queued}}`)
  const body = JSON.stringify({ status: 'queued', queued, lines_read, invalid, lines })
  return answer(200, body, { 'Content-Type': 'application/json', ...headers })
}

/** The answer to an error in the middle of a stream. An error that no client can do anything about is thrown again. */
function refusalIn(error: unknown, random: () => number): [code: ProblemCode, extras?: ProblemExtras] {
  if (error instanceof IncompleteBody) return ['incomplete_body']
  if (error instanceof TooSlow) return [error.code, { detail: tooSlow }]
  if (error instanceof TopicLimit) return [error.code]
  if (error instanceof KeyEnded) return [error.code, { detail: error.message, headers: invalidToken }]
  if (error instanceof SekaliError && error.retryable) {
    return [error.code as ProblemCode, retryExtras(error, random)]
  }
  throw error
}

const allBad = 'No line is an event. Nothing is queued.'
const tooSlow = 'The next line took too long to come. Send again what is behind lines_read.'
const tooManyBad = `${badLinesMax.toLocaleString('en')} lines are not events, so nothing behind lines_read was read. The others up to there are queued.`

interface LineBatch {
  readonly events: readonly Event[]
  /** The number of the last line that was read. */
  readonly last: number
  /** Whether there are no more lines. */
  readonly isOver: boolean
}

interface ReaderOptions {
  /** Bad lines after which nothing more is read. */
  readonly invalidMax: number
  /** Events of a batch. */
  readonly eventsMax: number
  /** What else is wrong with an event, if anything is. */
  readonly issueOf: (event: Event) => Issue | undefined
}

type LineReader = ReturnType<typeof createReader>

/** Reads lines in batches, and remembers which were bad. */
function createReader({ invalidMax, eventsMax, issueOf }: ReaderOptions) {
  let invalid = 0
  let last = 0
  const named: BadLine[] = []
  return {
    bad: () => ({ invalid, lines: named }),
    *read(lines: Iterator<Line>): Generator<undefined, LineBatch> {
      const events: Event[] = []
      let chars = 0
      while (events.length < eventsMax && chars < batchCharsMax && invalid < invalidMax) {
        const { value: line, done } = lines.next()
        if (done) return { events, last, isOver: true }
        last = line.number
        chars += line.text?.length ?? 0
        const read = readLine(line, issueOf)
        yield
        if (read === undefined) continue
        if ('eventId' in read) events.push(read)
        else if (++invalid <= badLinesNamedMax) named.push({ line: line.number, errors: read.errors })
      }
      return { events, last, isOver: false }
    },
  }
}

/** `undefined` for a blank line. */
function readLine(
  { text, issue }: Line,
  issueOf: ReaderOptions['issueOf'],
): Event | Pick<BadLine, 'errors'> | undefined {
  if (issue !== undefined) return { errors: [issue] }
  if (text === undefined || isBlank(text)) return undefined
  const read = readEvent(text)
  if ('eventId' in read) {
    const other = issueOf(read)
    return other === undefined ? read : { errors: [other] }
  }
  return read.code === 'malformed_json' ? notJson : { errors: read.issues }
}

const notJson = { errors: [{ path: '', code: 'malformed_json', message: 'must be JSON' }] }
