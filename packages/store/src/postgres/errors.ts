import { SekaliError, StoreUnavailable } from '@sekali/core/errors'
import { knownTrouble, sentenceOf, troubleOf } from '@sekali/core/trouble'

/**
 * PostgreSQL refused the data itself, and would again: SQLSTATE class 22 (data exception), 23 (integrity
 * constraint violation) or 54 (program limit exceeded).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export class DataRefused extends SekaliError {
  readonly code: string = 'data_refused'
  readonly retryable = false
  readonly sqlState: string

  constructor(sqlState: string, options: ErrorOptions) {
    super(`PostgreSQL refuses the data (SQLSTATE ${sqlState})`, options)
    this.sqlState = sqlState
  }

  /** Why an event became a dead letter, in one word. */
  get reason(): string {
    return this.sqlState
  }
}

/**
 * Two event ids have one key. Chance does not do that in the life of any log: somebody has written a key that is not ours, or
 * has the pepper.
 */
export class KeyCollision extends DataRefused {
  override readonly code = 'key_collision'

  constructor() {
    super('23505', { cause: new Error('another event id has the same key') })
  }

  override get reason(): string {
    return this.code
  }
}

/**
 * Another PostgreSQL of the same system has been promoted, and this one goes on as if it had not. What it stored would be lost
 * with it. `timeline` is the one that it is on, `newest` the one of the other.
 */
export class OldPrimary extends StoreUnavailable {
  constructor(timeline: number, newest: number) {
    const cause = Object.assign(new Error('an old primary'), { code: 'OLD_PRIMARY' })
    const words = troubleOf('PostgreSQL', cause)
    super(`timeline ${timeline}, and the system is on ${newest}: ${sentenceOf(words)}`, { cause })
  }
}

/**
 * What a failed statement means. Anything that is not the data's own fault (a lost connection, a failover, a full
 * disk, a lock) is the infrastructure's: try again, for ever. It must never make a dead letter.
 */
export function asStoreError(error: unknown, what: string): SekaliError {
  if (error instanceof SekaliError) return error
  const { state, constraint } = refusalOf(error)
  // Not the event's fault, whatever event it is: every one would be refused, and none may become a dead letter.
  if (constraint === 'events_topic_id_seq_pk') {
    return new StoreUnavailable(`${what} failed: a seq is taken, so topics.head is behind the log`, {
      cause: error,
    })
  }
  if (state !== undefined && /^(22|23|54)/.test(state)) return new DataRefused(state, { cause: error })
  const trouble = knownTrouble('PostgreSQL', error)
  return new StoreUnavailable(`${what} failed${trouble ? `: ${sentenceOf(trouble)}` : ''}`, { cause: error })
}

/** Whether a unique index of event ids refused it: somebody has stored that event. */
export const isKnownEvent = (error: SekaliError): boolean =>
  error instanceof DataRefused && uniqueIds.has(refusalOf(error.cause).constraint ?? '')

/** By key, and by text in a log that is not upgraded yet. */
const uniqueIds = new Set(['events_key_unique', 'events_topic_id_event_id_unique'])

/** Somebody else has a lock that was wanted: for longer than `lock_timeout`, or both waited for each other. */
export const isLocked = (error: unknown): boolean => /^(55P03|40P01)$/.test(refusalOf(error).state ?? '')

/** The SQLSTATE with which a statement failed, if PostgreSQL answered. */
export const stateOf = (error: unknown): string | undefined => refusalOf(error).state

interface Refusal {
  readonly state?: string
  readonly constraint?: string
}

// Drizzle wraps what the driver throws.
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Error)) return {}
  if ('code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)) {
    return { state: error.code, ...('constraint' in error && { constraint: String(error.constraint) }) }
  }
  return refusalOf(error.cause)
}
