import type { Issue } from '@sekali/core/errors'
import { parseRetryAfter } from './backoff.ts'
import {
  type Failure,
  Invalid,
  Refused,
  TimedOut,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
} from './errors.ts'

/** As much of `fetch` as the client uses, so that a faster or an instrumented one fits without a cast. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

export interface FetchInit {
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly signal: AbortSignal
}

export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

export interface Request {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly body?: string
}

/** Sends one request, once, and returns the JSON it is answered with. Anything else is one of the errors. */
export async function send(
  request: Request,
  fetch: Fetch,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<unknown> {
  const { status, retryAfter, text } = await exchange(request, fetch, timeoutMs, signal)
  const what = `${request.method} ${request.url}`
  const body = parseJson(text)
  if (status >= 200 && status < 300) {
    if (body === undefined) throw new UnexpectedAnswer(`${what} answered ${status} with what is not JSON`)
    return body
  }
  throw failure(what, status, isObject(body) ? body : {}, retryAfter)
}

async function exchange(
  { url, method, body }: Request,
  fetch: Fetch,
  timeoutMs: number,
  signal?: AbortSignal,
) {
  signal?.throwIfAborted()
  // One controller of our own, because AbortSignal.any with AbortSignal.timeout made a request cost 15 % more.
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal?.reason)
  const timer = setTimeout(onAbort, timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const headers: Record<string, string> = { accept: 'application/json' }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const answer = await fetch(url, { method, headers, signal: controller.signal, ...(body && { body }) })
    // Read in any case: a connection whose answer nobody reads cannot be used again.
    const text = await answer.text()
    return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text }
  } catch (cause) {
    signal?.throwIfAborted()
    if (controller.signal.aborted)
      throw new TimedOut(`${method} ${url} had no answer in ${timeoutMs.toFixed()} ms`)
    throw new Unreachable(`${method} ${url} had no answer: ${reasonOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

function failure(what: string, status: number, problem: Record<string, unknown>, retryAfter: string | null) {
  const code = typeof problem.code === 'string' ? problem.code : `http_${status}`
  const said = [problem.detail, problem.title].find((text) => typeof text === 'string')
  const message = `${what} answered ${status} ${code}${said === undefined ? '' : `: ${said}`}`
  const told: Failure = { status, code }
  if (status === 422) {
    const issues = parseIssues(problem.errors)
    return new Invalid(
      [message, ...issues.map((issue) => `${issue.path} ${issue.message}`)].join('; '),
      told,
      issues,
    )
  }
  if (status === 429 || (status >= 502 && status <= 504)) {
    return new Unavailable(message, told, parseRetryAfter(retryAfter))
  }
  return new Refused(message, told)
}

function parseIssues(errors: unknown): Issue[] {
  if (!Array.isArray(errors)) return []
  return errors.filter(isObject).map(({ path, code, message }) => ({
    path: String(path),
    code: String(code),
    message: String(message),
  }))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON; the caller knows what that means for this status
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// fetch says only "fetch failed"; the socket's own word, such as ECONNREFUSED, is on the cause.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error) return reasonOf(cause)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
