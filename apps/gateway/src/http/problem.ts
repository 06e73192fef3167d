import type { IncomingMessage } from 'node:http'
import { type ProblemCode, phrases, problems, type Status } from '@sekali/api/problems'
import {
  BacklogLimit,
  InvalidEvent,
  InvalidParameters,
  type Issue,
  LogRestored,
  MalformedJson,
  MemoryLimit,
  NotUtf8,
  SekaliError,
  TopicRate,
} from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { BadEvent } from '@sekali/core/parse'
import type { Logger } from '@sekali/process/log'
import { type Answer, answer, toResponse } from './reply.ts'
import { logOf } from './request-id.ts'

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
  /** How many dead letters match. */
  readonly matched?: number
  /** Of a log that was restored: the topic, its epoch, where it forked and when, and what cursor to go on with. */
  readonly topic?: string
  readonly epoch?: number
  readonly forked_at?: number
  readonly restored_at?: string
  readonly cursor?: string
  /** Topics that are full, of those that the events are of. */
  readonly topics?: readonly string[]
  /** Instead of the usual text of the code, where more is known. */
  readonly detail?: string
  /** Where the same problem is another status. */
  readonly status?: Status
  readonly headers?: Readonly<Record<string, string>>
  /** Given where the client may try again: the answer then has a Retry-After, which spreads the clients. */
  readonly random?: () => number
}

/** A problem as a handler of Hono's gives it. */
export const problem = (code: ProblemCode, extras?: ProblemExtras): Response =>
  toResponse(refusal(code, extras))

/** A problem as RFC 9457 has it. The title is the phrase of the status, because the type is `about:blank`. */
export function refusal(code: ProblemCode, extras: ProblemExtras = {}): Answer {
  const { errors, queued, lines_read, invalid, lines, events, headers, random } = extras
  const { event_id, seq, epoch, reason, in_flight, matched, topics } = extras
  const { topic, forked_at, restored_at, cursor } = extras
  const [usual, about] = problems[code]
  const status = extras.status ?? usual
  const named = errors?.slice(0, limits.issuesNamedMax)
  const body = {
    type: 'about:blank',
    title: phrases[status],
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
    topic,
    epoch,
    forked_at,
    restored_at,
    cursor,
    reason,
    in_flight,
    matched,
    topics,
  }
  return answer(status, JSON.stringify(body), {
    'Content-Type': 'application/problem+json',
    ...(random && { 'Retry-After': retryAfter(random) }),
    ...headers,
  })
}

/**
 * The answer to whatever a handler threw. An error of another class is a fault of the gateway: it is logged, and the client
 * gets no detail. `hint` explains a body that is refused, where more than the rule is known; `request` is what the log
 * names.
 */
export function refusalOf(
  error: unknown,
  log: Logger,
  random: () => number,
  { hint, request }: { hint?: Pick<ProblemExtras, 'detail'>; request?: IncomingMessage | undefined } = {},
): Answer {
  if (error instanceof InvalidEvent) return refusal(error.code, { errors: error.issues, ...hint })
  if (error instanceof InvalidParameters) return refusal(error.code, { errors: error.issues })
  if (error instanceof NotUtf8) return refusal(error.code, { detail: sentence(error.message), ...hint })
  if (error instanceof MalformedJson) return refusal(error.code, hint)
  if (error instanceof LogRestored) return refusal(error.code, restoredExtras(error))
  if (error instanceof SekaliError && Object.hasOwn(problems, error.code)) {
    return refusal(error.code as ProblemCode, retryExtras(error, random))
  }
  logOf(log, request).error({ err: error }, 'request failed')
  return refusal('internal_error')
}

const restoredExtras = ({ topic, epoch, forkedAt, restoredAt, cursor }: LogRestored): ProblemExtras => ({
  topic,
  epoch,
  forked_at: forkedAt,
  restored_at: restoredAt,
  cursor,
})

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** What the answer to an error says of trying again: when, if that is known, and otherwise soon. */
export function retryExtras(error: SekaliError, random: () => number): ProblemExtras {
  if (error instanceof TopicRate || error instanceof MemoryLimit) return { headers: retryIn(error) }
  if (error instanceof BacklogLimit) return { headers: retryIn(error), topics: error.topics }
  return error.retryable ? { random } : {}
}

const retryIn = ({ waitSeconds }: { readonly waitSeconds: number }): Readonly<Record<string, string>> =>
  Number.isFinite(waitSeconds) ? { 'Retry-After': String(Math.ceil(waitSeconds)) } : {}

/** One to three seconds, by chance: publishers refused together must not come back together. */
function retryAfter(random: () => number): string {
  return String(1 + Math.floor(random() * 3))
}
