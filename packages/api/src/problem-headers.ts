import type { HeaderName, Headers } from './headers.ts'
import type { ProblemCode } from './problems.ts'

const retry: Headers = { 'Retry-After': 'always' }
const challenge: Headers = { 'WWW-Authenticate': 'always' }
const ofWaiting: Headers = { 'Preference-Applied': 'sometimes' }

/** The headers that come with a problem. What stands nowhere has none. */
const ofCode: Readonly<Partial<Record<ProblemCode, Headers>>> = {
  backlog_limit: retry,
  broker_unavailable: retry,
  client_limit: retry,
  conflict: ofWaiting,
  dead_event: ofWaiting,
  forbidden: { 'WWW-Authenticate': 'sometimes' },
  issuer_unavailable: retry,
  rate_limited: { ...retry, RateLimit: 'sometimes', 'RateLimit-Policy': 'sometimes' },
  unauthorized: challenge,
  event_lost: { ...retry, ...ofWaiting },
  invalid_event: ofWaiting,
  invalid_lines: ofWaiting,
  memory_limit: retry,
  method_not_allowed: { Allow: 'always' },
  no_dispatcher: retry,
  not_replicated: retry,
  overloaded: retry,
  projection_in_use: retry,
  store_unavailable: retry,
  subscription_paused: retry,
  too_many_tails: retry,
  topic_rate: { 'Retry-After': 'sometimes' },
  unsupported_encoding: { 'Accept-Encoding': 'always' },
  unsupported_media_type: { 'Accept-Post': 'always' },
}

export const headersOfProblem = (code: ProblemCode): Headers => ofCode[code] ?? {}

/** The headers of answers that look alike from outside: a header comes always if it comes with each of them. */
export function joinHeaders(all: readonly Headers[]): Headers {
  const names = new Set(all.flatMap((one) => Object.keys(one) as HeaderName[]))
  return Object.fromEntries(
    [...names].map((name) => [name, all.every((one) => one[name] === 'always') ? 'always' : 'sometimes']),
  )
}
