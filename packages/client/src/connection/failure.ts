import { type Issue, LogRestored, type Restored } from '@sekali/core/errors'
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
  const code = typeof problem.code === 'string' ? problem.code : `http_${status}`
  const reason = [problem.detail, problem.title].find((value) => typeof value === 'string')
  const message = `${what} answered ${status} ${code}${reason === undefined ? '' : `: ${reason}`}`
  const failure: Failure = { status, code }
  if (code === 'conflict') return new Conflict(message, numberOr(problem.seq))
  const restored = code === 'log_restored' ? parseRestored(problem) : undefined
  if (restored !== undefined) return new LogRestored(restored, message)
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
  const message = `${what} answered ${status} redirected: to ${to}, and redirects are not followed`
  return new Refused(`${message}: give the baseUrl of the gateway itself`, { status, code: 'redirected' })
}

/** For instance `[3].timestamp must be ISO 8601 …`. */
export function issueText({ index, path, message }: Issue): string {
  const place = index === undefined ? path : `[${index}]${path === '' ? '' : `.${path}`}`
  return place === '' ? message : `${place} ${message}`
}

function parseIssues(errors: unknown): Issue[] {
  if (!Array.isArray(errors)) return []
  return errors.filter(isObject).map(({ index, path, code, message }) => ({
    ...(typeof index === 'number' && { index }),
    path: String(path),
    code: String(code),
    message: String(message),
  }))
}

/** Of an array that was published leniently each bad event has a list of its own. */
function parseBadEvents(events: unknown): Issue[] {
  if (!Array.isArray(events)) return []
  return events
    .filter(isObject)
    .flatMap(({ index, errors }) =>
      parseIssues(errors).map((issue) => ({ ...(typeof index === 'number' && { index }), ...issue })),
    )
}

function parseProblem(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {} // a proxy's page, perhaps; then the status says all there is
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseRestored({
  topic,
  epoch,
  forked_at,
  restored_at,
  cursor,
}: Record<string, unknown>): Restored | undefined {
  if (typeof topic !== 'string' || typeof cursor !== 'string') return undefined
  if (typeof epoch !== 'number' || typeof forked_at !== 'number') return undefined
  return { topic, epoch, forkedAt: forked_at, restoredAt: String(restored_at), cursor }
}

const numberOr = (value: unknown) => (typeof value === 'number' ? value : undefined)
const textOr = (value: unknown) => (typeof value === 'string' ? value : undefined)
