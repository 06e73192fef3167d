import { type Issue, LogRestored, type Restored } from '@sekali/core/errors'
import { isObject } from '../arguments.ts'
import {
  BrokenOff,
  Conflict,
  DeadEvent,
  type Failure,
  Invalid,
  Refused,
  Unavailable,
  type Unreachable,
} from '../errors.ts'
import { parseRetryAfter } from './backoff.ts'

/** An HTTP answer that is not a success. */
export interface BadAnswer {
  /** The request, in words. */
  readonly what: string
  readonly status: number
  readonly text: string
  readonly retryAfter: string | null
}

/** The error that an answer stands for: its problem+json says which, otherwise its status. */
export function failureOf({ what, status, text, retryAfter }: BadAnswer) {
  const problem = parseProblem(text)
  const code = textOr(problem.code) ?? `http_${status}`
  const reason = textOr(problem.detail) ?? textOr(problem.title)
  const message = `${what} answered ${status} ${code}${reason === undefined ? '' : `: ${reason}`}`
  const failure: Failure = { status, code }
  if (code === 'conflict') return new Conflict(message, numberOr(problem.seq))
  if (code === 'log_restored') return new LogRestored(restoredIn(problem), message)
  if (code === 'dead_event') return new DeadEvent(message, textOr(problem.reason))
  if (status === 422) {
    const issues = [...parseIssues(problem.errors), ...parseBadEvents(problem.events)]
    return new Invalid(issuesFirst(issues, message), failure, issues)
  }
  // Trying again would not help: there are no topics left, or these are more than may be made at once.
  const isFinal = code.startsWith('topic_') && retryAfter === null
  if ((status === 429 && !isFinal) || (status >= 502 && status <= 504)) {
    return new Unavailable(message, failure, parseRetryAfter(retryAfter))
  }
  return new Refused(message, failure, textOr(problem.detail), parseRetryAfter(retryAfter))
}

/** Of an answer that had begun. */
export const brokenOff = (cause: Unreachable): BrokenOff =>
  cause instanceof BrokenOff ? cause : new BrokenOff(`${cause.message}; the answer broke off`, { cause })

/** What is wrong is what a reader looks for; what was asked, and the gateway's sentences, follow. */
const issuesFirst = (issues: readonly Issue[], message: string): string =>
  issues.length === 0 ? message : `${issues.map(issueText).join('; ')} (${message})`

/** A browser tells a page no more of a redirect than status 0. */
export const isRedirect = (status: number, location: string | null): boolean =>
  status === 0 || (status >= 300 && status < 400 && location !== null)

/** The error that a redirect stands for. What follows the target's path is not named: it may be a secret. */
export function redirectOf(what: string, status: number, url: string, location: string | null): Refused {
  const target = location !== null && URL.canParse(location, url) ? new URL(location, url) : undefined
  const to = target === undefined ? 'somewhere else' : target.origin + target.pathname
  const message = `${what} answered ${status} redirected: to ${to}, which is not followed`
  return new Refused(`${message}: give the baseUrl of the gateway itself`, { status, code: 'redirected' })
}

/** For instance `[3].timestamp must be ISO 8601 …`. */
export function issueText({ index, path, message }: Issue): string {
  const place = index === undefined ? path : `[${index}]${path === '' ? '' : `.${path}`}`
  return place === '' ? message : `${place} ${message}`
}

const parseIssues = (errors: unknown): Issue[] =>
  objectsIn(errors).map(({ index, path, code, message }) => ({
    ...numbered(index),
    path: String(path),
    code: String(code),
    message: String(message),
  }))

/** Of an array that was published leniently each bad event has a list of its own. */
const parseBadEvents = (events: unknown): Issue[] =>
  objectsIn(events).flatMap(({ index, errors }) =>
    parseIssues(errors).map((issue) => ({ ...numbered(index), ...issue })),
  )

const numbered = (index: unknown) => typeof index === 'number' && { index }

const objectsIn = (list: unknown): Record<string, unknown>[] =>
  Array.isArray(list) ? list.filter(isObject) : []

function parseProblem(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {} // a proxy's page, perhaps; then the status says all there is
  }
}

const restoredIn = ({ topic, epoch, forked_at, restored_at, cursor }: Record<string, unknown>) =>
  ({ topic, epoch, forkedAt: forked_at, restoredAt: restored_at, cursor }) as Restored

const numberOr = (value: unknown) => (typeof value === 'number' ? value : undefined)
const textOr = (value: unknown) => (typeof value === 'string' ? value : undefined)
