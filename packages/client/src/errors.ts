import { type Issue, SekaliError } from '@sekali/core/errors'

/** What an HTTP answer that is not a success says about itself. */
export interface Failure {
  readonly status: number
  /** The `code` of the problem+json body, otherwise `http_<status>`. */
  readonly code: string
}

/** No answer came: refused, reset, or cut off. The request may or may not have been carried out. */
export class Unreachable extends SekaliError {
  readonly code: string = 'unreachable'
  readonly retryable = true
}

/** An answer ended before its end: what came of it is right, and not all. */
export class BrokenOff extends Unreachable {
  override readonly code = 'broken_off'
}

/** A replay counted other events than came: something on the way changes answers. */
export class Miscounted extends SekaliError {
  readonly code = 'miscounted'
  readonly retryable = false
}

/** The function that was given as `token` failed (`cause` is what it threw) or did not answer in time. Nothing was sent. */
export class NoToken extends SekaliError {
  readonly code = 'no_token'
  readonly retryable = true
}

/** No answer came in time. The request may or may not have been carried out. */
export class TimedOut extends SekaliError {
  readonly code = 'timed_out'
  readonly retryable = true
}

/** 429, 502, 503, 504: not now. A publish answered so may or may not have been carried out. */
export class Unavailable extends SekaliError {
  declare readonly code: string
  readonly retryable = true
  declare readonly status: number
  /** What the answer's Retry-After asks for; undefined if it has none. */
  declare readonly retryAfterMs: number | undefined

  constructor(message: string, failure: Failure, retryAfterMs: number | undefined) {
    super(message)
    Object.assign(this, failure, { retryAfterMs })
  }
}

/** 422: what was sent does not validate; `issues` names each offending field, never its value. */
export class Invalid extends SekaliError {
  readonly code: string
  readonly retryable = false
  readonly status = 422
  readonly issues: readonly Issue[]

  constructor(message: string, { code }: Failure, issues: readonly Issue[], options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.issues = issues
  }
}

/** The event's id is taken by an event with another content; the log stays as it was. */
export class Conflict extends SekaliError {
  readonly code = 'conflict'
  readonly retryable = false
  /** The seq of the event that has the id. */
  readonly seq: number | undefined

  constructor(message: string, seq: number | undefined) {
    super(message)
    this.seq = seq
  }
}

/** The event was accepted, but PostgreSQL would not have it: it lies among the dead letters, with this reason. */
export class DeadEvent extends SekaliError {
  readonly code = 'dead_event'
  readonly retryable = false
  readonly reason: string | undefined

  constructor(message: string, reason: string | undefined) {
    super(message)
    this.reason = reason
  }
}

/** Any other status that is not a success: the same request would fail the same way. */
export class Refused extends SekaliError {
  declare readonly code: string
  readonly retryable = false
  declare readonly status: number
  /** What is wrong, in the gateway's words; undefined if it has said nothing. */
  declare readonly detail: string | undefined
  /** Before that time it is refused for sure; undefined if the answer has no Retry-After. */
  declare readonly retryAfterMs: number | undefined

  constructor(message: string, failure: Failure, detail?: string, retryAfterMs?: number) {
    super(message)
    Object.assign(this, failure, { detail, retryAfterMs })
  }
}

/** A success that is not in Sekali's words: something else listens there. */
export class UnexpectedAnswer extends SekaliError {
  readonly code = 'unexpected_answer'
  readonly retryable = false
}

/** The system was not ready within the deadline; `cause` says what it answered last. */
export class NotReady extends SekaliError {
  readonly code = 'not_ready'
  readonly retryable = true
}

/** More is waiting to be sent than the batcher may hold; its `ready()` tells when there is room again. */
export class QueueFull extends SekaliError {
  readonly code = 'queue_full'
  readonly retryable = true
}

/** It was closed before this came. */
export class Closed extends SekaliError {
  readonly code = 'closed'
  readonly retryable = false
}
