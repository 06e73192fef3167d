import { InvalidEvent, type Issue, MalformedJson, NotUtf8, SekaliError, TopicRate } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { BadEvent } from '@sekali/core/parse'
import type { Logger } from '@sekali/process/log'
import { type Answer, answer, toResponse } from './reply.ts'

/**
 * Everything that can go wrong for a client, as RFC 9457 problem details. `code` is API and never changes; `title`
 * is the HTTP phrase, because the type is `about:blank`. `detail` is ours alone: no text of a driver, no value.
 */
const problems = {
  bad_request: [400, 'Bad Request', 'This is not a request of HTTP/1.1.'],
  malformed_json: [400, 'Bad Request', 'The body is not JSON in UTF-8.'],
  incomplete_body: [400, 'Bad Request', 'The body ended before its end.'],
  bad_request_target: [
    400,
    'Bad Request',
    'Write the path plainly: without dot segments, empty segments, backslashes, a fragment, needless escapes or another authority, and with what it encodes as UTF-8 (% is %25). ?event_id= and ?key= take what a path cannot have.',
  ],
  bad_host: [400, 'Bad Request', 'There must be one Host header, with a name or address and perhaps a port.'],
  foreign_origin: [403, 'Forbidden', 'A page of another origin may change nothing here.'],
  not_found: [404, 'Not Found', 'There is nothing here.'],
  unknown_topic: [404, 'Not Found', 'There is no topic of this name.'],
  topic_in_use: [
    409,
    'Conflict',
    'The topic has events, entries in flight or dead letters. Only one that has nothing can be dropped.',
  ],
  unknown_projection: [404, 'Not Found', 'There is no projection of this name.'],
  unknown_key: [404, 'Not Found', 'The projection has no state of this key.'],
  method_not_allowed: [405, 'Method Not Allowed', 'See the Allow header for what can be done here.'],
  unknown_event: [
    404,
    'Not Found',
    'There is no such event. in_flight is null when it could not be told whether it is on its way.',
  ],
  event_in_flight: [404, 'Not Found', 'The event is queued and not stored yet. Ask again.'],
  dead_event: [
    404,
    'Not Found',
    'PostgreSQL refused the event; it is among the dead letters, with the reason.',
  ],
  request_timeout: [408, 'Request Timeout', 'The request took too long to come. Send it again, in one go.'],
  conflict: [409, 'Conflict', 'The event id is taken by an event of other content, which has this seq.'],
  projection_in_use: [
    409,
    'Conflict',
    'A projector folds it. Take its definition away; a minute later it can be dropped.',
  ],
  not_acceptable: [406, 'Not Acceptable', 'Events come as application/json or application/x-ndjson.'],
  body_too_large: [413, 'Content Too Large', 'The body is larger than an event, or a batch, can be.'],
  expectation_failed: [417, 'Expectation Failed', 'Expect may be 100-continue, and nothing else.'],
  unsupported_media_type: [
    415,
    'Unsupported Media Type',
    'Send application/json or application/x-ndjson in UTF-8.',
  ],
  unsupported_encoding: [415, 'Unsupported Media Type', 'Send the body without a Content-Encoding.'],
  unknown_host: [
    421,
    'Misdirected Request',
    'This gateway does not know itself by the name in the Host header. If it is right, add it to HOSTS.',
  ],
  invalid_event: [
    422,
    'Unprocessable Content',
    'The body is JSON, but not an event, or not only events. Nothing is queued.',
  ],
  invalid_batch: [422, 'Unprocessable Content', 'A batch has 1 to 5,000 events.'],
  invalid_lines: [422, 'Unprocessable Content', 'Some lines are not events. The others are queued.'],
  invalid_parameters: [422, 'Unprocessable Content', 'The query parameters do not fit.'],
  too_many_topics: [422, 'Unprocessable Content', 'The pattern matches more than 500 topics. Ask for fewer.'],
  cursor_ahead: [
    422,
    'Unprocessable Content',
    'The place lies behind the end of the log: it is of another log, or this one was restored. Leave it out, or begin a tail from start or now.',
  ],
  topic_limit: [
    429,
    'Too Many Requests',
    'There are as many topics as there may be (TOPICS_MAX). Events of topics that are there can be published.',
  ],
  topic_rate: [
    429,
    'Too Many Requests',
    'These are too many new topics at once. Publish those of fewer new topics, or come again later.',
  ],
  client_limit: [
    429,
    'Too Many Requests',
    'You hold most of what this gateway has room for. Finish some of it, then try again.',
  ],
  headers_too_large: [431, 'Request Header Fields Too Large', 'Target and headers have at most 16 KiB.'],
  internal_error: [500, 'Internal Server Error', 'This is a fault of the gateway; its log tells more.'],
  unsupported_transfer_coding: [
    501,
    'Not Implemented',
    'A body may come in chunks, and is coded in no other way.',
  ],
  broker_unavailable: [503, 'Service Unavailable', 'Redis cannot take events now. Publish all of it again.'],
  event_lost: [503, 'Service Unavailable', 'Redis lost the event before it was stored. Publish it again.'],
  overloaded: [503, 'Service Unavailable', 'Too much is under way. Try again.'],
  too_many_tails: [503, 'Service Unavailable', 'There is no room for another tail here. Come again.'],
  store_unavailable: [503, 'Service Unavailable', 'PostgreSQL cannot answer now. Ask again.'],
} as const satisfies Record<string, readonly [status: number, title: string, detail: string]>

export type ProblemCode = keyof typeof problems

export interface BadLine {
  /** From 1. */
  readonly line: number
  readonly errors: readonly Issue[]
}

export interface ProblemExtras {
  readonly errors?: readonly Issue[]
  /** How many events were queued all the same. */
  readonly queued?: number
  /** Of a stream: up to which line each is queued, bad or blank. From 1. */
  readonly lines_read?: number
  /** How many lines were bad, and the first of them. */
  readonly invalid?: number
  readonly lines?: readonly BadLine[]
  /** Of an array that was to be read leniently: the first that are no events. */
  readonly events?: readonly BadEvent[]
  /** The event that was waited for. */
  readonly event_id?: string
  /** The seq of the event that has the id. */
  readonly seq?: number
  /** Why an event became a dead letter: `malformed_entry`, or the SQLSTATE with which PostgreSQL refused it. */
  readonly reason?: string
  readonly in_flight?: boolean | null
  /** Where there is more to say than of the code. */
  readonly detail?: string
  /** Where the same problem is another status. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Given for what may be tried again: it spreads those who come back. */
  readonly random?: () => number
}

/** A problem as a handler of Hono's gives it. */
export const problem = (code: ProblemCode, extras?: ProblemExtras): Response =>
  toResponse(refusal(code, extras))

export function refusal(code: ProblemCode, extras: ProblemExtras = {}): Answer {
  const { errors, queued, lines_read, invalid, lines, events, headers, random } = extras
  const { event_id, seq, reason, in_flight } = extras
  const [usual, phrase, about] = problems[code]
  const status = extras.status ?? usual
  const title = status === usual ? phrase : 'Unprocessable Content'
  const named = errors?.slice(0, limits.issuesNamedMax)
  const body = {
    type: 'about:blank',
    title,
    status,
    detail: extras.detail ?? about,
    code,
    queued,
    lines_read,
    invalid,
    errors: named,
    lines,
    events,
    event_id,
    seq,
    reason,
    in_flight,
  }
  return answer(status, JSON.stringify(body), {
    'Content-Type': 'application/problem+json',
    ...(random && { 'Retry-After': retryAfter(random) }),
    ...headers,
  })
}

/**
 * The answer to whatever a handler threw. An error that is not one of ours is a fault of ours: logged, not told. `hint`
 * is what to say of a body that is not as it must be, where more than that is known.
 */
export function refusalOf(
  error: unknown,
  log: Logger,
  random: () => number,
  hint?: Pick<ProblemExtras, 'detail'>,
): Answer {
  if (error instanceof InvalidEvent) return refusal(error.code, { errors: error.issues, ...hint })
  if (error instanceof NotUtf8) return refusal(error.code, { detail: sentence(error.message), ...hint })
  if (error instanceof MalformedJson) return refusal(error.code, hint)
  if (error instanceof TopicRate) return refusal(error.code, { headers: retryIn(error) })
  if (error instanceof SekaliError && Object.hasOwn(problems, error.code)) {
    return refusal(error.code as ProblemCode, error.retryable ? { random } : {})
  }
  log.error({ err: error }, 'request failed')
  return refusal('internal_error')
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

export const retryIn = ({ waitSeconds }: TopicRate): Readonly<Record<string, string>> =>
  Number.isFinite(waitSeconds) ? { 'Retry-After': String(Math.ceil(waitSeconds)) } : {}

/** One to three seconds, by chance: publishers refused together must not come back together. */
function retryAfter(random: () => number): string {
  return String(1 + Math.floor(random() * 3))
}
