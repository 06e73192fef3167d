import { findPayloads } from '@sekali/core/payload'
import type { EventsQuery, StoredEvent } from './answers.ts'
import { type Connection, call, callStream, jsonOf, search } from './connection.ts'
import { UnexpectedAnswer } from './errors.ts'
import { createLineSplitter } from './lines.ts'
import { type CallOptions, isRetryable, retryDefaults } from './retry.ts'

/** One page: newest first, or ascending with `after`. */
export async function events(
  connection: Connection,
  query: EventsQuery = {},
  options: CallOptions = {},
): Promise<StoredEvent[]> {
  return (await page(connection, search(query), options)).events
}

/** Page after page, as long as there is a next one: all that matches, or `limit` at a time. */
export async function* read(
  connection: Connection,
  query: EventsQuery,
  options: CallOptions = {},
): AsyncGenerator<StoredEvent, void> {
  for await (const { events } of pages(connection, query, options)) yield* events
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
      const { payload: _, seq, received_at, stored_at, ...head } = event
      const before = JSON.stringify(head).slice(0, -1)
      const after = JSON.stringify({ seq, received_at, stored_at }).slice(1)
      yield `${before},"payload":${payloads[index]?.text},${after}`
    }
  }
}

async function* pages(connection: Connection, query: EventsQuery, options: CallOptions) {
  // A page may be short, even empty, and still have a next one.
  for (let next: string | undefined = search(query); next !== undefined; ) {
    const found = await page(connection, next, options)
    yield found
    next = found.next
  }
}

async function page(connection: Connection, query: string, options: CallOptions) {
  const answer = await call(connection, `/events${query}`, { method: 'GET' }, options)
  const events = jsonOf<StoredEvent[]>(answer, Array.isArray)
  return { events, text: answer.text, next: nextQuery(answer.header('link')) }
}

/** The query of `<…>; rel="next"`. Its path is left: behind a proxy it may be another than the gateway thinks. */
export function nextQuery(link: string | null): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1]
  return target === undefined ? undefined : new URL(target, 'http://gateway').search
}

/** All that matches as one stream, oldest first unless `order` says otherwise, read as fast as it is asked for. Numbers beyond 2^53 are rounded: see replayText. */
export async function* replay(
  connection: Connection,
  query: EventsQuery,
  options: CallOptions = {},
): AsyncGenerator<StoredEvent, void> {
  for await (const text of replayText(connection, query, options)) yield JSON.parse(text) as StoredEvent
}

/**
 * The same, each event as the JSON text in which it came.
 *
 * A stream that breaks off is taken up again behind the last event, if it is ascending; otherwise it rejects, and
 * `read`, which goes page by page, is the way.
 */
export async function* replayText(
  connection: Connection,
  query: EventsQuery,
  options: CallOptions = {},
): AsyncGenerator<string, void> {
  // All topics by name: the gateway takes a place to go on from only with one.
  const { topic = '>' } = query
  const places = createPlaces({ ...query, topic })
  let { after, limit } = query
  for (;;) {
    let heard = false
    try {
      for await (const text of streamedLines(connection, { ...query, topic, after, limit }, options)) {
        yield text
        heard = true
        places.passed(text)
        if (limit !== undefined) limit -= 1
      }
      return
    } catch (error) {
      after = places.after()
      if (after === undefined || !heard || !isRetryable(error)) throw error
      if (limit === 0) return
    }
  }
}

/** A URL may not be longer than the gateway reads; so many topics have to be read page by page. */
const afterCharsMax = 8_000

/** How far a replay has come: a seq, or for several topics a seq of each, `orders.eu:42,orders.us:7`. */
function createPlaces({ topic, after, order }: EventsQuery & { readonly topic: string }) {
  const isAscending = order !== 'desc'
  const isPattern = /[*>]/.test(topic)
  // A cursor that a page gave can be sent, but nothing can be added to it.
  const canResume = isAscending && (!isPattern || after === undefined)
  const seqs = new Map<string, number>()
  return {
    passed(text: string) {
      if (!canResume) return
      const place = /^\{"topic":"([^"]*)".*"seq":(\d+),"received_at":"[^"]*","stored_at":"[^"]*"\}$/s.exec(
        text,
      )
      if (place === null) throw new UnexpectedAnswer('/events answered with a line that is no event')
      seqs.set(String(place[1]), Number(place[2]))
    },
    after(): number | string | undefined {
      if (!canResume) return undefined
      if (!isPattern) return seqs.get(topic)
      const pairs = [...seqs].map(([name, seq]) => `${name}:${seq}`).join(',')
      return pairs.length > afterCharsMax ? undefined : pairs
    },
  }
}

async function* streamedLines(connection: Connection, query: object, options: CallOptions) {
  const accept = { accept: 'application/x-ndjson' }
  const stream = await callStream(connection, `/events${search(query)}`, accept, options)
  const { requestMs: silenceMs = retryDefaults.requestMs } = connection.retry
  try {
    const lines = createLineSplitter()
    for (
      let chunk = await stream.read(silenceMs);
      chunk !== undefined;
      chunk = await stream.read(silenceMs)
    ) {
      for (const line of lines.push(chunk)) if (line) yield line
    }
    for (const line of lines.end()) if (line) yield line
  } finally {
    stream.close()
  }
}
