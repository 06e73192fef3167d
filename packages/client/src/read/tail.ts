/**
 * What is stored from now on, or from an earlier seq or cursor on, event by event, for as long as one wants.
 *
 * Whoever reads `id` 42 has everything up to 42, so a connection that breaks is made again with that id as
 * Last-Event-ID: nothing is missing and nothing comes twice. That is what EventSource does too, but it cannot be
 * slowed by its reader, does not wait longer each time, and gives up for good at a 503.
 */
import { InvalidConfig } from '@sekali/core/errors'
import type { AnyPayload, TailedEvent, TailQuery } from '../answers.ts'
import { delayMs } from '../connection/backoff.ts'
import { type Connection, callStream, search } from '../connection/connection.ts'
import { brokenOff } from '../connection/failure.ts'
import { open, type Stream } from '../connection/request.ts'
import { type CallOptions, isRetryable, retryDefaults, wait } from '../connection/retry.ts'
import { createSseParser } from '../connection/sse.ts'
import { BrokenOff, Invalid, Unavailable, Unreachable } from '../errors.ts'

/** The gateway says something every 15 s; a connection that is silent for longer than this is dead. */
const silenceMs = 40_000

/** An event as the JSON text in which it came, and the cursor behind it. */
export interface TailedText {
  readonly cursor: string
  readonly text: string
}

/** Numbers beyond 2^53 are rounded: see tailText. */
export async function* tail<Payload extends object = AnyPayload>(
  connection: Connection,
  query: TailQuery,
  options: CallOptions = {},
): AsyncGenerator<TailedEvent<Payload>, void> {
  for await (const { cursor, text } of tailText(connection, query, options))
    yield { ...JSON.parse(text), cursor }
}

/**
 * The first connection is tried as often as every call, later ones for ever. It ends when the loop over it does, or
 * with the reason of `signal`, or when the gateway refuses it.
 */
export async function* tailText(
  connection: Connection,
  given: TailQuery,
  options: CallOptions = {},
): AsyncGenerator<TailedText, void> {
  const { cursor, ...query } = checked(given)
  const path = `/tail${search(query)}`
  const sse = { accept: 'text/event-stream' }
  let lastId = cursor ?? ''
  let stream = await callStream(connection, path, withLastId(sse, lastId), options).catch(
    (error: unknown) => {
      throw inOurWords(error)
    },
  )
  let retry = 0
  // Ended by the signal, by a refusal, or by whoever stops asking for more.
  for (;;) {
    const parser = createSseParser(lastId)
    let failure: unknown = new BrokenOff(`GET ${connection.base}${path} ended`)
    try {
      for (
        let chunk = await stream.read(silenceMs);
        chunk !== undefined;
        chunk = await stream.read(silenceMs)
      ) {
        retry = 0
        for (const { id, data } of parser.push(chunk)) {
          lastId = id
          yield { cursor: id, text: data }
        }
        lastId = parser.lastId()
      }
    } catch (error) {
      failure = error instanceof Unreachable ? brokenOff(error) : error
    } finally {
      stream.close()
    }
    stream = await reconnect(failure)
  }

  async function reconnect(failure: unknown): Promise<Stream> {
    for (let error = failure; ; ) {
      if (!isRetryable(error)) throw inOurWords(error)
      retry += 1
      const { delayFirstMs, delayMaxMs } = { ...retryDefaults, ...connection.retry }
      const retryAfterMs = error instanceof Unavailable ? error.retryAfterMs : undefined
      const waitMs = delayMs(retry, { delayFirstMs, delayMaxMs }, retryAfterMs)
      options.onRetry?.({ retry, delayMs: waitMs, error })
      await wait(waitMs, options.signal)
      const { requestMs = retryDefaults.requestMs } = connection.retry
      const headers = withLastId(sse, lastId)
      const request = { url: connection.base + path, method: 'GET', headers } as const
      try {
        return await open(request, connection.fetch, requestMs, options.signal)
      } catch (again) {
        error = again
      }
    }
  }
}

/** The gateway calls a cursor by the name of the header in which it came. */
function inOurWords(error: unknown): unknown {
  if (!(error instanceof Invalid)) return error
  const issues = error.issues.map((issue) =>
    issue.path === 'last_event_id' ? { ...issue, path: 'cursor' } : issue,
  )
  return new Invalid(error.message.replace(/^last_event_id\b/, 'cursor'), error, issues)
}

function checked(query: TailQuery): TailQuery {
  if (typeof query !== 'object' || query === null || typeof query.topic !== 'string' || query.topic === '') {
    throw new InvalidConfig("tail takes an object with a topic, for instance { topic: 'orders.>' }")
  }
  // fetch would refuse the header with its value in its words, again and again.
  if (/^[\x21-\x7e]*$/.test(String(query.cursor ?? ''))) return query
  throw new InvalidConfig('cursor must be that of an event of a tail')
}

const withLastId = (headers: Record<string, string>, id: string) =>
  id === '' ? headers : { ...headers, 'last-event-id': id }
