import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isForeign, isSafe, isSameOrigin } from '../http/origin.ts'
import { refusal } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'
import { bearerOf } from './bearer.ts'
import { parseSession, sessionIn } from './session-text.ts'

/** What a request shows of who sends it, by its SHA-256. */
export interface Shown {
  readonly kind: 'key' | 'token' | 'session'
  readonly text: string
  readonly digest: string
}

const keyPrefix = 'sekali_'

/**
 * A key or token in the Authorization header, or else the cookie of a session. Browsers send cookies whoever makes them ask,
 * so one counts only where no page of another origin can have done that, and for what changes something only where the
 * browser says so.
 */
export function shownBy(request: IncomingMessage): Shown | Answer {
  const cookie = request.headers.authorization === undefined ? sessionIn(request) : undefined
  if (cookie !== undefined && !isSafe(request.method) && !isSameOrigin(request)) {
    return refusal('foreign_origin', { detail: withoutOrigin })
  }
  if (cookie !== undefined && !isForeign(request)) {
    // No header has the end of a line in it: what is shown in one way is never taken for the other.
    return { kind: 'session', text: cookie, digest: hash('sha256', `session\n${cookie}`, 'hex') }
  }
  const text = bearerOf(request)
  if (typeof text !== 'string') return text
  return { kind: text.startsWith(keyPrefix) ? 'key' : 'token', text, digest: hash('sha256', text, 'hex') }
}

const withoutOrigin = 'A session may change something from a page of this gateway alone. Send the key itself.'

/** Whether a session has ended by itself, or is none. */
export function isOver(text: string): boolean {
  const session = parseSession(text)
  return session === undefined || session.endsAtMs <= Date.now()
}
