// The system's front door as a client sees it, without any help of our own SDK: what is to be proved about answers
// must not go through code that interprets them.
import { Pool } from 'undici'

export interface Answer {
  readonly status: number
  readonly body: string
  /** The path of the page that follows. */
  readonly next?: string | undefined
}

type Headers = Readonly<Record<string, string>>

export interface Door extends AsyncDisposable {
  /** Rejects when no answer came in time. */
  get(path: string): Promise<Answer>
  post(path: string, body: string, headers?: Headers): Promise<Answer>
  put(path: string, body: string): Promise<Answer>
}

/** After so long without an answer a client gives a request up. */
const answerMs = 5_000

/** The key that is sent now; undefined where none is asked for. It is asked before each request, because keys change. */
export type KeyNow = () => string | undefined

export const bearer = (key: string | undefined): Headers =>
  key === undefined ? {} : { authorization: `Bearer ${key}` }

export function openDoor(url: string, connections: number, keyNow: KeyNow = () => undefined): Door {
  const pool = new Pool(new URL(url).origin, {
    connections,
    connectTimeout: answerMs,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  })
  async function call(method: 'GET' | 'POST' | 'PUT', path: string, body: string | null, more: Headers = {}) {
    const type = body === null ? {} : { 'content-type': 'application/json' }
    const headers = { ...bearer(keyNow()), ...type, ...more }
    const signal = AbortSignal.timeout(2 * answerMs)
    const answer = await pool.request({ method, path, headers, body, signal })
    const next = /<([^>]+)>; rel="next"/.exec(String(answer.headers.link ?? ''))?.[1]
    return {
      status: answer.statusCode,
      body: await answer.body.text(),
      next: next === undefined ? undefined : resolve(next, path),
    }
  }
  let closed: Promise<void> | undefined
  return {
    get: (path) => call('GET', path, null),
    post: (path, body, headers) => call('POST', path, body, headers),
    put: (path, body) => call('PUT', path, body),
    [Symbol.asyncDispose]: () => {
      closed ??= pool.destroy()
      return closed
    },
  }
}

/** A link is relative to what it came with (RFC 8288). */
function resolve(link: string, path: string): string {
  const { pathname, search } = new URL(link, `http://gateway${path}`)
  return `${pathname}${search}`
}

/** Whether the request cannot have reached anybody: only then "failed" is certain. */
export function neverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error && (error.code === 'ECONNREFUSED' || error.code === 'UND_ERR_CONNECT_TIMEOUT'))
    return true
  if (error instanceof AggregateError) return error.errors.every(neverSent)
  return neverSent(error.cause)
}
