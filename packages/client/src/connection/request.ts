import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { timerMsMax } from '../arguments.ts'
import { TimedOut, Unreachable } from '../errors.ts'
import { failureOf, isRedirect, redirectOf } from './failure.ts'

/** As much of `fetch` as the client uses, so that a faster or an instrumented one fits without a cast. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

export interface FetchInit {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly signal: AbortSignal
  /** Another origin would get headers and event, and a POST may become a GET whose answer says nothing of the event. */
  readonly redirect: 'manual'
}

export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
  /** Only replay and tail need it. */
  readonly body?: ReadableStream<Uint8Array> | null
}

export interface Request {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A success, read to its end. */
export interface Answer {
  /** The request, in words. */
  readonly what: string
  readonly status: number
  readonly text: string
  header(name: string): string | null
}

/** A success whose body is still to be read. */
export interface Stream {
  /** The request, in words. */
  readonly what: string
  header(name: string): string | null
  /** The next bytes, or undefined at the end. Rejects with TimedOut when nothing comes for `silenceMs`. */
  read(silenceMs: number): Promise<Uint8Array | undefined>
  /** Hangs up. Safe twice. */
  close(): void
}

/** Sends one request, once, and reads its answer. What is not a success is one of the errors. */
export async function send(
  request: Request,
  fetch: Fetch,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Answer> {
  const exchange = begin(request, signal)
  try {
    return await exchange.within(timeoutMs, async () => {
      const answer = await exchange.fetch(fetch)
      // Read in any case: a connection whose answer nobody reads cannot be used again.
      const text = await answer.text()
      return succeeded(exchange, answer, text)
    })
  } finally {
    exchange.end()
  }
}

/** Sends one request, once; resolves as soon as a success begins. `timeoutMs` is for that. */
export async function open(
  request: Request,
  fetch: Fetch,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Stream> {
  const exchange = begin(request, signal)
  try {
    const { reader, headers } = await exchange.within(timeoutMs, async () => {
      const answer = await exchange.fetch(fetch)
      if (!isSuccess(answer.status)) succeeded(exchange, answer, await answer.text())
      const body = answer.body?.getReader()
      if (body === undefined) throw new InvalidConfig('the given fetch cannot stream')
      return { reader: body, headers: answer.headers }
    })
    return {
      what: exchange.what,
      header: (name) => headers.get(name),
      read: (silenceMs) => exchange.within(silenceMs, async () => (await reader.read()).value),
      close: exchange.hangUp,
    }
  } catch (error) {
    exchange.hangUp()
    throw error
  }
}

function begin({ url, method, headers, body }: Request, signal: AbortSignal | undefined) {
  signal?.throwIfAborted()
  const what = `${method} ${url}`
  // One controller of our own, because AbortSignal.any with AbortSignal.timeout made a request cost 15 % more.
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    what,
    url,
    fetch: (fetch: Fetch) =>
      fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        signal: controller.signal,
        redirect: 'manual',
        ...(body !== undefined && { body }),
      }),
    async within<T>(ms: number, work: () => Promise<T>): Promise<T> {
      let late = false
      const timer = setTimeout(
        () => {
          late = true
          controller.abort()
        },
        Math.min(ms, timerMsMax),
      )
      try {
        return await work()
      } catch (cause) {
        signal?.throwIfAborted()
        if (cause instanceof SekaliError) throw cause
        if (late) throw new TimedOut(`${what} had no answer in ${ms.toFixed()} ms`)
        const reason = reasonOf(cause)
        // Of Node's fetch: to try again would not help. Browsers do not say why they refuse.
        if (reason === 'bad port') {
          throw new InvalidConfig(`fetch refuses ${url} (bad port)`, {
            cause,
          })
        }
        throw new Unreachable(`${what} had no answer: ${reason}`, { cause })
      } finally {
        clearTimeout(timer)
      }
    },
    /** After the answer has been read to its end. */
    end() {
      signal?.removeEventListener('abort', onAbort)
    },
    hangUp() {
      signal?.removeEventListener('abort', onAbort)
      controller.abort()
    },
  }
}

const isSuccess = (status: number) => status >= 200 && status < 300

function succeeded(
  { what, url }: { readonly what: string; readonly url: string },
  { status, headers }: FetchAnswer,
  text: string,
): Answer {
  const location = headers.get('location')
  if (isRedirect(status, location)) throw redirectOf(what, status, url, location)
  if (!isSuccess(status)) {
    throw failureOf({ what, status, text, retryAfter: headers.get('retry-after') })
  }
  return { what, status, text, header: (name) => headers.get(name) }
}

// fetch says only "fetch failed"; the socket's own word, such as ECONNREFUSED, is on the cause.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return reasonOf(cause)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
