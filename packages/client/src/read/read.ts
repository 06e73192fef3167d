import { findPayloads } from '@sekali/core/payload'
import type { AnyPayload, EventsQuery, StoredEvent } from '../answers.ts'
import { checkQuery } from '../arguments.ts'
import { type Connection, call, callStream, jsonOf, nextQuery, search } from '../connection/connection.ts'
import { brokenOff } from '../connection/failure.ts'
import { createLineSplitter } from '../connection/lines.ts'
import type { Stream } from '../connection/request.ts'
import { type CallOptions, isRetryable, retryDefaults } from '../connection/retry.ts'
import { BrokenOff, Miscounted, Unreachable } from '../errors.ts'
import { createResume } from './resume.ts'

/** One page: newest first, or ascending with `after`. */
export async function events<Payload extends object = AnyPayload>(
  connection: Connection,
  query: EventsQuery = {},
  options: CallOptions = {},
): Promise<StoredEvent<Payload>[]> {
  checkQuery(query)
  return (await page<Payload>(connection, search(query), options)).events
}

/** Page after page, as long as there is a next one: all that matches, or `limit` at a time. */
export async function* read<Payload extends object = AnyPayload>(
  connection: Connection,
  query: EventsQuery = {},
  options: CallOptions = {},
): AsyncGenerator<StoredEvent<Payload>, void> {
  for await (const { events } of pages<Payload>(connection, query, options)) yield* events
}

/** The same, each event as JSON text with its payload as it came. */
export async function* readText(
  connection: Connection,
  query: EventsQuery,
  options: CallOptions = {},
): AsyncGenerator<string, void> {
  for await (const { events, text } of pages(connection, query, options)) {
    const payloads = findPayloads(text, 1)
    for (const [index, event] of events.entries()) {
      const members = Object.entries(event).map(([name, value]) =>
        name === 'payload'
          ? `"payload":${payloads[index]?.text}`
          : JSON.stringify({ [name]: value }).slice(1, -1),
      )
      yield `{${members.join(',')}}`
    }
  }
}

async function* pages<Payload extends object = AnyPayload>(
  connection: Connection,
  query: EventsQuery,
  options: CallOptions,
) {
  checkQuery(query)
  // A page may be short, even empty, and still have a next one.
  for (let next: string | undefined = search(query); next !== undefined; ) {
    const found: Page<Payload> = await page<Payload>(connection, next, options)
    yield found
    next = found.next
  }
}

interface Page<Payload extends object> {
  readonly events: StoredEvent<Payload>[]
  /** As it came. */
  readonly text: string
  /** The query of the next one. */
  readonly next: string | undefined
}

async function page<Payload extends object>(
  connection: Connection,
  query: string,
  options: CallOptions,
): Promise<Page<Payload>> {
  const answer = await call(connection, `/events${query}`, { method: 'GET' }, options)
  const events = jsonOf<StoredEvent<Payload>[]>(answer, Array.isArray)
  return { events, text: answer.text, next: nextQuery(answer.header('link')) }
}

/**
 * All that matches as one stream, oldest first unless `order` says otherwise, read as fast as it is asked for. Numbers beyond
 * 2^53 are rounded: see replayText.
 */
export async function* replay<Payload extends object = AnyPayload>(
  connection: Connection,
  query: EventsQuery = {},
  options: CallOptions = {},
): AsyncGenerator<StoredEvent<Payload>, void> {
  for await (const text of replayText(connection, query, options)) {
    yield JSON.parse(text) as StoredEvent<Payload>
  }
}

/**
 * The same, each event as the JSON text in which it came.
 *
 * A stream that breaks off is taken up again behind the last event, if it is ascending; otherwise it rejects with
 * BrokenOff, and `read`, which goes page by page, is the way. That a stream ended is not taken for its end: the gateway
 * is asked for a last line, which counts the events, because some proxies make an end of a connection that was cut.
 */
export async function* replayText(
  connection: Connection,
  query: EventsQuery = {},
  options: CallOptions = {},
): AsyncGenerator<string, void> {
  checkQuery(query)
  // All topics by name: the gateway takes `after` only with a topic.
  const { topic = '>' } = query
  const resume = createResume({ ...query, topic })
  let { after, limit } = query
  for (;;) {
    let hasRead = false
    try {
      for await (const text of streamedLines(connection, { ...query, topic, after, limit }, options)) {
        yield text
        hasRead = true
        resume.passed(text)
        if (limit !== undefined) limit -= 1
      }
      return
    } catch (error) {
      after = resume.after()
      if (!isRetryable(error) || !hasRead) throw error
      if (after === undefined) throw error instanceof Unreachable ? brokenOff(error) : error
      if (limit === 0) return
    }
  }
}

/** The events of a replay, a line each. Rejects with BrokenOff at an end that is not that of the replay. */
async function* streamedLines(connection: Connection, query: object, options: CallOptions) {
  const headers = { accept: 'application/x-ndjson', prefer: 'progress' }
  const stream = await callStream(connection, `/events${search(query)}`, headers, options)
  // A gateway of an earlier version does not know the preference, nor do some proxies let its answer to it pass.
  const isLastLineDue = /(?:^|,)\s*progress\s*(?:$|[,;=])/i.test(stream.header('preference-applied') ?? '')
  let events = 0
  let counted: number | undefined
  try {
    for await (const lines of linesOf(stream, connection)) {
      for (const line of lines) {
        if (!line) continue // kept alive by an earlier version
        if (line.startsWith(progressStart)) {
          counted = countIn(line)
          continue
        }
        events += 1
        yield line
      }
    }
  } finally {
    stream.close()
  }
  if (counted === undefined && isLastLineDue) throw new BrokenOff(`${stream.what} ended before its last line`)
  if (counted !== undefined && counted !== events) {
    throw new Miscounted(`${stream.what} counted ${counted} events, and ${events} came`)
  }
}

const progressStart = '{"status":'

/** How many events there were, in the line that says that there are no more. */
const countIn = (line: string): number | undefined => {
  const count = /^\{"status":"complete","events":(\d+)\}$/.exec(line)?.[1]
  return count === undefined ? undefined : Number(count)
}

/** The lines that have come, as many at a time as there are: a step of a generator for each would cost more than the line. */
async function* linesOf(stream: Stream, { retry }: Connection) {
  const { requestMs: silenceMs = retryDefaults.requestMs } = retry
  const lines = createLineSplitter()
  for (let chunk = await stream.read(silenceMs); chunk !== undefined; chunk = await stream.read(silenceMs)) {
    yield lines.push(chunk)
  }
  // Every gateway ends every line.
  if (lines.end().length > 0) throw new BrokenOff(`${stream.what} ended in the middle of a line`)
}
