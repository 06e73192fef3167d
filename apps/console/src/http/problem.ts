import type { Issue } from '@sekali/core/errors'

/** What the gateway answered instead of what was asked for, or that nobody answered. */
export class Problem extends Error {
  /** 0 if there was no answer. */
  readonly status: number
  /** That of the API, or `unreachable`, `timed_out`, `unexpected_answer`. */
  readonly code: string
  /** By field. */
  readonly errors: readonly Issue[]
  /** All that the answer had, for those who know its code. */
  readonly fields: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.errors = Array.isArray(fields.errors) ? (fields.errors as Issue[]) : []
    this.fields = fields
  }
}

/** What was thrown, for whoever shows it. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, 'unexpected_answer', String(error))

/** Of an answer that is no success: its own words, if it has any (RFC 9457). */
export function problemOf(status: number, text: string): Problem {
  const fields = fieldsOf(text)
  if (typeof fields.code === 'string') {
    return new Problem(status, fields.code, String(fields.detail ?? fields.title ?? ''), fields)
  }
  const words = status >= 500 ? 'the gateway cannot do this now' : 'this answer was not expected'
  return new Problem(status, 'unexpected_answer', `HTTP ${status}: ${words}`, fields)
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const fields: unknown = JSON.parse(text)
    return typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {}
  } catch {
    return {} // a proxy's own page, for instance: its status has to do
  }
}
