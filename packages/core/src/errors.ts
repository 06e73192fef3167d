/** Every failure Sekali names. `code` is API: clients and alerts match on it, never on the message. */
export abstract class SekaliError extends Error {
  abstract readonly code: string
  /** Whether the same call may succeed later without anything being changed. */
  abstract readonly retryable: boolean

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** Redis cannot take or give entries now. An append that fails so may or may not have happened. */
export class BrokerUnavailable extends SekaliError {
  readonly code: 'broker_unavailable' | 'not_replicated' = 'broker_unavailable'
  readonly retryable = true
}

/** Redis has the entries, or may have them, and too few of its replicas do: a failover could lose them. */
export class NotReplicated extends BrokerUnavailable {
  override readonly code = 'not_replicated'
}

/** PostgreSQL cannot answer now. A commit that fails so may or may not have happened. */
export class StoreUnavailable extends SekaliError {
  readonly code = 'store_unavailable'
  readonly retryable = true
}

/** Settings under which a promise could not be kept, or that make no sense. */
export class InvalidConfig extends SekaliError {
  readonly code = 'invalid_config'
  readonly retryable = false
}

/** One field that does not fit. It names the field and the rule, never the value: answers and logs must not leak it. */
export interface Issue {
  /** Where in a batch the event is, from 0; absent for a single event. */
  readonly index?: number
  readonly path: string
  readonly code: string
  readonly message: string
}

/** What came is no JSON text. The parser's own message is left out, because it quotes what came. */
export class MalformedJson extends SekaliError {
  readonly code = 'malformed_json'
  readonly retryable = false
}

/** What came is no text. The message says why, and quotes nothing. */
export class NotUtf8 extends MalformedJson {}

/** JSON, but not an event. Every field that does not fit is among the issues. */
export class InvalidEvent extends SekaliError {
  readonly code = 'invalid_event'
  readonly retryable = false
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[], options?: ErrorOptions) {
    super(`not a valid event: ${issues.map((issue) => issue.path || 'the body').join(', ')}`, options)
    this.issues = issues
  }
}

/** An array of no events, or of too many. */
export class InvalidBatch extends SekaliError {
  readonly code = 'invalid_batch'
  readonly retryable = false
}

/** V8's alone (https://v8.dev/docs/stack-trace-api); elsewhere it is a property like any other. */
const v8: ErrorConstructor & { stackTraceLimit?: number | undefined } = Error

/**
 * A refusal of what a client may send thousands of at once. It has no stack: to take one costs more than all the rest of
 * the refusal, and everybody else waits for it.
 */
abstract class Refusal extends SekaliError {
  constructor(message: string, options?: ErrorOptions) {
    const { stackTraceLimit } = v8
    v8.stackTraceLimit = 0
    super(message, options)
    v8.stackTraceLimit = stackTraceLimit
  }
}

/**
 * More is under way than fits into memory. Nothing of it was published, but for the lines that the answer
 * counts.
 */
export class Overloaded extends Refusal {
  readonly code = 'overloaded'
  readonly retryable = true
}

/** There would be room, but this client holds most of what is in use. */
export class ClientLimit extends Refusal {
  readonly code = 'client_limit'
  readonly retryable = true
}

/** There are as many topics as there may be. Nothing was published; events of topics that are there can be. */
export class TopicLimit extends SekaliError {
  readonly code = 'topic_limit'
  readonly retryable = false
}

/** A client makes topics faster than it may. Nothing was published. */
export class TopicRate extends SekaliError {
  readonly code = 'topic_rate'
  readonly retryable = true
  /** After how long it may; infinite if it never may make that many at once. */
  readonly waitSeconds: number

  constructor(waitSeconds: number) {
    super('too many new topics')
    this.waitSeconds = waitSeconds
  }
}

/** Topics have as much in flight as they may. Nothing was published; events of other topics can be. */
export class BacklogLimit extends SekaliError {
  readonly code = 'backlog_limit'
  readonly retryable = true
  /** Those that are full. */
  readonly topics: readonly string[]
  /** After how long there should be room. */
  readonly waitSeconds: number

  constructor(topics: readonly string[], waitSeconds: number) {
    super(`too much is in flight of ${topics.length === 1 ? topics[0] : `${topics.length} topics`}`)
    this.topics = topics
    this.waitSeconds = waitSeconds
  }
}

/** Redis has little memory left, which consumers need. Nothing was published. */
export class MemoryLimit extends SekaliError {
  readonly code = 'memory_limit'
  readonly retryable = true
  /** After how long there should be room. */
  readonly waitSeconds: number

  constructor(waitSeconds: number) {
    super('redis is nearly full')
    this.waitSeconds = waitSeconds
  }
}

/** A pattern that matches more topics than one cursor can hold. */
export class TooManyTopics extends SekaliError {
  readonly code = 'too_many_topics'
  readonly retryable = false
}

/** A cursor of what the log does not know, an epoch that has not begun or a topic that is not there: it is of another log. */
export class CursorAhead extends SekaliError {
  readonly code = 'cursor_ahead'
  readonly retryable = false
}

/** What there is to know of a cursor whose reader has read events that a restore did not bring back. */
export interface Restored {
  readonly topic: string
  /** The epoch in which the log goes on. */
  readonly epoch: number
  /** The last seq up to which the log is still as it was read. */
  readonly forkedAt: number
  /** When the log began to go on from there: UTC, with microseconds. */
  readonly restoredAt: string
  /** What to send instead: the same cursor, set back to where the log forked, in the current epoch. */
  readonly cursor: string
}

/**
 * The log was restored from a backup that lacks events which the reader of this cursor has read, and has given their
 * numbers to others since.
 */
export class LogRestored extends SekaliError implements Restored {
  readonly code = 'log_restored'
  readonly retryable = false
  declare readonly topic: string
  declare readonly epoch: number
  declare readonly forkedAt: number
  declare readonly restoredAt: string
  declare readonly cursor: string

  constructor(restored: Restored, message: string) {
    super(message)
    Object.assign(this, restored)
  }
}

/** Parameters that do not fit what they are asked of. Every one that does not fit is among the issues. */
export class InvalidParameters extends SekaliError {
  readonly code = 'invalid_parameters'
  readonly retryable = false
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[]) {
    super(`invalid parameters: ${issues.map(({ path }) => path).join(', ')}`)
    this.issues = issues
  }
}
