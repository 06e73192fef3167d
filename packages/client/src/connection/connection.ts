import { requireFunction, requireKnown, requireMs, requireObject, timerMsMax } from '../arguments.ts'
import { UnexpectedAnswer } from '../errors.ts'
import { baseUrlOf } from './base-url.ts'
import { type HeaderOptions, withHeaders } from './headers.ts'
import { type Answer, type Fetch, open, type Request, type Stream, send } from './request.ts'
import { type CallOptions, type RetryLimits, retryDefaults, withRetries } from './retry.ts'

export interface ConnectionOptions extends HeaderOptions {
  /**
   * Where the gateway is, for instance `http://127.0.0.1:8080`; it may have a path. If it is not said: what the
   * environment's SEKALI_URL says, or in a page the origin that it came from, or else `http://127.0.0.1:8080`.
   */
  readonly baseUrl?: string | URL | undefined
  readonly fetch?: Fetch | undefined
  readonly retry?: RetryLimits | undefined
}

/** Where a gateway is, and how to speak to it. Nothing is kept open, so nothing has to be closed. */
export interface Connection {
  /** Without a slash at its end. */
  readonly base: string
  readonly fetch: Fetch
  readonly retry: RetryLimits
}

/** Throws InvalidConfig for options that make no sense. */
export function connectionTo(options: ConnectionOptions = {}): Connection {
  requireObject(options, 'createClient takes an object, for instance { baseUrl: "http://127.0.0.1:8080" }')
  requireKnown('createClient', options, ['baseUrl', 'token', 'headers', 'fetch', 'retry'])
  const { baseUrl, fetch = platformFetch, retry = {}, token, headers } = options
  requireFunction('fetch', fetch)
  checkRetry(retry)
  return { base: baseUrlOf(baseUrl), fetch: withHeaders(fetch, { token, headers }), retry }
}

function checkRetry(retry: RetryLimits): void {
  requireObject(retry, 'retry must be an object of times, such as { totalMs: 60000 }')
  requireKnown('retry', retry, Object.keys(retryDefaults))
  requireMs('retry.requestMs', retry.requestMs, timerMsMax)
  for (const name of ['totalMs', 'delayFirstMs', 'delayMaxMs'] as const) {
    requireMs(`retry.${name}`, retry[name], Infinity)
  }
}

// As a method of anything else a browser's fetch refuses to work.
const platformFetch: Fetch = (url, init) => globalThis.fetch(url, init)

/** Sends a request, again while that makes sense, and resolves with its success. */
export function call(
  { base, fetch, retry }: Connection,
  path: string,
  request: Omit<Request, 'url'>,
  options: CallOptions = {},
  limits = retry,
): Promise<Answer> {
  return withRetries(
    (timeoutMs) => send({ url: base + path, ...request }, fetch, timeoutMs, options.signal),
    limits,
    options,
  )
}

/** The same for an answer that is read while it comes. */
export function callStream(
  { base, fetch, retry }: Connection,
  path: string,
  headers: Readonly<Record<string, string>>,
  options: CallOptions = {},
): Promise<Stream> {
  return withRetries(
    (timeoutMs) => open({ url: base + path, method: 'GET', headers }, fetch, timeoutMs, options.signal),
    retry,
    options,
  )
}

/**
 * The JSON of an answer. `fits` is no validation, the gateway is ours; it only tells a gateway from something else
 * that listens there.
 */
export function jsonOf<T>(
  { what, status, text }: Answer,
  fits: (value: object) => boolean,
  parse: (text: string) => unknown = JSON.parse,
): T {
  let value: unknown
  try {
    value = parse(text)
  } catch (cause) {
    throw new UnexpectedAnswer(`${what} answered ${status} with what is not JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null || !fits(value)) {
    throw new UnexpectedAnswer(`${what} answered with what no gateway of Sekali sends`)
  }
  return value as T
}

/** `?name=value&…` of what is given, or nothing. */
export function search(parameters: object): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) given.set(name, String(value))
  }
  const text = given.toString()
  return text === '' ? '' : `?${text}`
}

/** The query of `<…>; rel="next"`. Its path is left: behind a proxy it may be another than the gateway thinks. */
export function nextQuery(link: string | null): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1]
  return target === undefined ? undefined : new URL(target, 'http://gateway').search
}
