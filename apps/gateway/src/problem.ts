import { InvalidEvent, type Issue, SekaliError } from '@sekali/core/errors'
import type { Logger } from '@sekali/process/log'
import { reply } from './reply.ts'

/**
 * Everything that can go wrong for a client, as RFC 9457 problem details. `code` is API and never changes; `title`
 * is the HTTP phrase, because the type is `about:blank`. `detail` is ours alone: no text of a driver, no value.
 */
const problems = {
  malformed_json: [400, 'Bad Request', 'The body is not JSON in UTF-8.'],
  incomplete_body: [400, 'Bad Request', 'The body ended before its end.'],
  not_found: [404, 'Not Found', 'There is nothing here.'],
  method_not_allowed: [405, 'Method Not Allowed', 'See the Allow header for what can be done here.'],
  body_too_large: [413, 'Content Too Large', 'The body is larger than an event can be.'],
  unsupported_media_type: [415, 'Unsupported Media Type', 'Send application/json in UTF-8.'],
  unsupported_encoding: [415, 'Unsupported Media Type', 'Send the body without a Content-Encoding.'],
  invalid_event: [422, 'Unprocessable Content', 'The body is JSON, but not an event.'],
  invalid_parameters: [422, 'Unprocessable Content', 'The query parameters do not fit.'],
  internal_error: [500, 'Internal Server Error', 'This is a fault of the gateway; its log tells more.'],
  broker_unavailable: [503, 'Service Unavailable', 'Redis cannot take the event now. Publish it again.'],
  store_unavailable: [503, 'Service Unavailable', 'PostgreSQL cannot answer now. Ask again.'],
} as const satisfies Record<string, readonly [status: number, title: string, detail: string]>

export type ProblemCode = keyof typeof problems

export interface ProblemExtras {
  readonly errors?: readonly Issue[]
  readonly headers?: Readonly<Record<string, string>>
}

export function problem(code: ProblemCode, { errors, headers }: ProblemExtras = {}): Response {
  const [status, title, detail] = problems[code]
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code, errors })
  return reply(status, body, { 'Content-Type': 'application/problem+json', ...headers })
}

/** The answer to whatever a handler threw. An error that is not one of ours is a fault of ours: logged, not told. */
export function problemOf(error: unknown, log: Logger, random: () => number): Response {
  if (error instanceof InvalidEvent) return problem(error.code, { errors: error.issues })
  if (error instanceof SekaliError && Object.hasOwn(problems, error.code)) {
    const headers = error.retryable ? { 'Retry-After': retryAfter(random) } : {}
    return problem(error.code as ProblemCode, { headers })
  }
  log.error({ err: error }, 'request failed')
  return problem('internal_error')
}

/** One to three seconds, by chance: publishers refused together must not come back together. */
function retryAfter(random: () => number): string {
  return String(1 + Math.floor(random() * 3))
}
