/** Calls the API. Every path is relative, so that the console works behind a prefix: `stats?limit=1`. */
import { signal } from '@preact/signals'
import { Problem, problemOf } from './problem.ts'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  /** Becomes JSON; a text is sent as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
  /** With what a `Link` is to be resolved. */
  readonly url: string
}

/** Whether the gateway wants to know who one is: the login is shown then. */
export const isLoginDue = signal(false)

/** Throws {@link Problem} for every answer that is no success; an abort by `signal` is thrown as it is. */
export async function call(path: string, options: Call = {}): Promise<Answer> {
  const { method = 'GET', body, headers = {}, signal: given, timeoutMs = 15_000 } = options
  const json = body === undefined ? {} : { 'Content-Type': 'application/json' }
  // Not within `try`: what no header can carry is not an outage.
  const sent = new Headers({ ...json, ...headers })
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(`./${path}`, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: given ? AbortSignal.any([given, timeout]) : timeout,
    })
    const text = await response.text()
    // A page in place of an answer is not the API's: a proxy's own, or the console itself.
    if (response.ok && response.headers.get('Content-Type')?.startsWith('text/html')) {
      throw new Problem(response.status, 'unexpected_answer', 'a page came in place of an answer of the API')
    }
    if (response.ok) return { status: response.status, text, headers: response.headers, url: response.url }
    if (response.status === 401) isLoginDue.value = true
    throw problemOf(response.status, text)
  } catch (error) {
    if (error instanceof Problem || given?.aborted) throw error
    if (timeout.aborted) throw new Problem(0, 'timed_out', `no answer within ${timeoutMs / 1000} s`)
    throw new Problem(0, 'unreachable', 'the gateway cannot be reached')
  }
}

/** For answers whose numbers are small. Payloads are never read with it: see text/slices.ts. */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const { text } = await call(path, { signal })
  return JSON.parse(text) as T
}

/**
 * The path of an API route, with its query: each value may be any text; those that are undefined are left out. A segment
 * may be any text but `.` and `..`, which would lead to another path: it throws then.
 */
export function pathOf(
  segments: readonly string[],
  query: Readonly<Record<string, string | number | boolean | undefined>> = {},
): string {
  const dots = segments.find((segment) => segment === '.' || segment === '..')
  if (dots !== undefined) throw new Problem(0, 'unexpected_path', `${dots} is no part of a path`)
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  )
  const path = segments.map(encodeURIComponent).join('/')
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

/** The query of the next page, from `Link: <?topic=…&after=…>; rel="next"`; undefined on the last. */
export function nextQuery({ headers }: Pick<Answer, 'headers'>): URLSearchParams | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get('Link') ?? '') ?? []
  return target === undefined ? undefined : new URLSearchParams(target.slice(target.indexOf('?')))
}
