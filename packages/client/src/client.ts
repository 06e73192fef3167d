import { InvalidConfig } from '@sekali/core/errors'
import type { EventsQuery, EventToPublish, Published, Stats, StoredEvent } from './answers.ts'
import { NotReady, UnexpectedAnswer } from './errors.ts'
import { type Fetch, type Request, send } from './request.ts'
import { type CallOptions, type RetryLimits, withRetries } from './retry.ts'

export interface ClientOptions {
  /** Where the gateway is, for instance `http://127.0.0.1:8080`; it may have a path. */
  readonly baseUrl: string
  readonly fetch?: Fetch
  readonly retry?: RetryLimits
}

export interface ReadyOptions extends CallOptions {
  readonly deadlineMs?: number
}

/** Sekali over HTTP. A call is tried again while that makes sense, and rejects with one of `errors.ts`. */
export interface Client {
  /**
   * Resolves once the event is durably queued. To try again is safe although a lost answer leaves it open
   * whether the event was taken: its id is what Sekali recognises a repeat by.
   */
  publish(event: EventToPublish, options?: CallOptions): Promise<Published>
  /**
   * Newest first, or ascending with `after`. The answer goes through JSON.parse, so a payload's numbers
   * become doubles: an integer beyond 2^53 or a long decimal is exact in the store and on the wire, not here.
   */
  events(query?: EventsQuery, options?: CallOptions): Promise<StoredEvent[]>
  stats(options?: CallOptions): Promise<Stats>
  /** Resolves once the gateway can take events; rejects with NotReady at the deadline. */
  waitUntilReady(options?: ReadyOptions): Promise<void>
}

export function createClient({ baseUrl, fetch = globalThis.fetch, retry = {} }: ClientOptions): Client {
  const base = parseBaseUrl(baseUrl)

  function call(path: string, request: Omit<Request, 'url'>, limits: RetryLimits, options: CallOptions) {
    const url = base + path
    return withRetries(
      (timeoutMs) => send({ url, ...request }, fetch, timeoutMs, options.signal),
      limits,
      options,
    )
  }

  return {
    async publish(event, options = {}) {
      const answer = await call('/publish', { method: 'POST', body: JSON.stringify(event) }, retry, options)
      return expectShape<Published>(answer, 'event_id' in Object(answer), '/publish')
    },

    async events(query = {}, options = {}) {
      const search = new URLSearchParams()
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) search.set(name, String(value))
      }
      const answer = await call(
        `/events${search.size > 0 ? `?${search}` : ''}`,
        { method: 'GET' },
        retry,
        options,
      )
      return expectShape<StoredEvent[]>(answer, Array.isArray(answer), '/events')
    },

    async stats(options = {}) {
      const answer = await call('/stats', { method: 'GET' }, retry, options)
      return expectShape<Stats>(answer, 'totals' in Object(answer), '/stats')
    },

    async waitUntilReady({ deadlineMs = 60_000, ...options } = {}) {
      // Short waits: while a system starts, a second is long, and its 503s cost it nothing.
      const limits = { requestMs: 2_000, totalMs: deadlineMs, delayFirstMs: 50, delayMaxMs: 1_000 }
      try {
        await call('/readyz', { method: 'GET' }, limits, options)
      } catch (cause) {
        if (!(cause instanceof Error && 'retryable' in cause && cause.retryable)) throw cause
        throw new NotReady(`${base} was not ready within ${deadlineMs} ms: ${cause.message}`, { cause })
      }
    },
  }
}

function parseBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidConfig('the base URL must begin with http:// or https://')
  }
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

/** Not a validation, the gateway is ours; it only tells a gateway from something else on its port. */
function expectShape<T>(answer: unknown, fits: boolean, path: string): T {
  if (!fits) throw new UnexpectedAnswer(`${path} answered with what no gateway of Sekali sends`)
  return answer as T
}
