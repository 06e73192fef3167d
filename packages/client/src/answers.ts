import type { Issue } from '@sekali/core/errors'
import type { Figures } from '@sekali/core/figures'

/** An event as it is sent. Its payload is an object of JSON, an interface of yours for instance. */
export interface EventToPublish<Payload extends object = object> {
  readonly topic: string
  /** Yours, unique in the topic: it is what a repeat is recognised by. */
  readonly event_id: string
  /** ISO 8601 with an offset, at most nine fractional digits, of which six are kept. */
  readonly timestamp: string
  readonly source: string
  readonly payload: Payload
}

/** What came of a publish: with `queued` it is safe, but nobody has said yet what will come of it. */
export type Published =
  | { readonly status: 'queued'; readonly event_id: string }
  | {
      readonly status: 'stored'
      readonly event_id: string
      readonly seq: number
      readonly epoch?: number
    }
  | {
      readonly status: 'duplicate'
      readonly event_id: string
      readonly seq: number
      readonly epoch?: number
      /** What of it is not as it is in the log; a payload means the same, and is written in another way. */
      readonly differs?: readonly ('timestamp' | 'payload')[]
    }

/** What came of one event of a batch that was waited for. */
export interface BatchReceipt {
  /** Where in the batch it was, from 0, if that was published leniently. */
  readonly index?: number
  readonly event_id: string
  /** `lost`: Redis lost it before it was stored; publish it again. */
  readonly status: 'queued' | 'stored' | 'duplicate' | 'conflict' | 'dead' | 'lost'
  readonly seq?: number
  /** That of the topic's log, if it was ever restored from a backup. */
  readonly epoch?: number
  /** Of a duplicate: what of it is not as it is in the log. */
  readonly differs?: readonly ('timestamp' | 'payload')[]
  readonly reason?: string
}

export interface PublishedBatch {
  /** `settled` if it was waited for and everything is known. */
  readonly status: 'queued' | 'settled'
  readonly queued: number
  /** How many are not valid, and the first 100 of them, if it was published leniently. */
  readonly invalid?: number
  readonly events?: readonly { readonly index: number; readonly errors: readonly Issue[] }[]
  /** In the order of the batch, if it was waited for. */
  readonly receipts?: readonly BatchReceipt[]
}

/** What is known of a payload that nobody described. */
export type AnyPayload = Readonly<Record<string, unknown>>

/**
 * An event as it is kept. The times are UTC, to the microsecond. `Payload` is what you say that it is: it is not checked,
 * so check it, with a schema for instance, where others publish as well.
 */
export interface StoredEvent<Payload extends object = AnyPayload> extends EventToPublish<Payload> {
  /** 1, 2, 3 … in its topic, without a gap. */
  readonly seq: number
  readonly received_at: string
  readonly stored_at: string
  /**
   * Only if the log was ever restored from a backup: the epoch in which this was read, 2 or greater. To go on behind it is
   * `after: '2.600'` then, and not `after: 600`.
   */
  readonly epoch?: number
}

/** What has become of an event. `unknown` was never accepted, as far as Sekali can tell. */
export type Receipt<Payload extends object = AnyPayload> =
  | { readonly status: 'stored'; readonly event: StoredEvent<Payload> }
  | { readonly status: 'in_flight' | 'unknown' }
  | { readonly status: 'dead'; readonly reason: string | undefined }

/** Which events, of which topic; a topic may be a pattern: `orders.*` is one level, `orders.>` all below. */
export interface EventsFilter {
  readonly topic?: string
  readonly source?: string
  /** ISO 8601 with an offset; `from` is included, `to` is not. */
  readonly from?: string
  readonly to?: string
  /** Which time `from` and `to` are about; the event's own is the default. */
  readonly by?: 'timestamp' | 'received_at'
}

export interface EventsQuery extends EventsFilter {
  /** Of a page 1 to 1,000, 100 by default; of a replay any number, all by default. */
  readonly limit?: number
  /**
   * Only what comes after this seq, ascending, which has its epoch before it if that is not 1 (`'2.600'`); of a pattern, after
   * a cursor that a next page had. Needs `topic`.
   */
  readonly after?: number | string
  /** Only what comes before it, newest first. */
  readonly before?: number | string
  /** Of a page `asc` with `after` and `desc` otherwise, if it is not said; of a replay `asc`. */
  readonly order?: 'asc' | 'desc'
}

export interface TailQuery {
  /** A topic or a pattern. */
  readonly topic: string
  readonly source?: string
  /** Where to begin: at the first event, with the next one (the default), or after a seq, perhaps with its epoch. */
  readonly from?: 'start' | 'now' | number | `${number}.${number}`
  /** Where an earlier tail of the same topic or pattern stopped; it wins over `from`. `null` is none yet. */
  readonly cursor?: string | null | undefined
}

export interface TailedEvent<Payload extends object = AnyPayload> extends StoredEvent<Payload> {
  /** Begin there again and nothing is missing, nothing comes twice. */
  readonly cursor: string
}

/** By topic, the seq up to which it is folded; null with more than 1,000 topics, unless `asOf` asks for it. */
export type AsOf = Readonly<Record<string, number>> | null

/** A projection, or a file of definitions that does not load. */
export type ProjectionInfo = FoldedProjection | NotLoadedFile

/** A file of definitions that gives no projection, or not all that it should. There is no state of it. */
export interface NotLoadedFile {
  /** That of the file. */
  readonly name: string
  readonly status: 'not_loaded'
  readonly version: 0
  readonly as_of: null
  readonly lag: 0
  readonly keyed: false
  readonly error: {
    readonly file: string
    /** From 1; absent if it is not known. */
    readonly line?: number
    readonly message: string
  }
  readonly rebuild?: undefined
  readonly skipped?: undefined
}

export interface FoldedProjection {
  readonly name: string
  readonly version: number
  /** `orphaned`: no projector has its definition any more. */
  readonly status: 'live' | 'building' | 'failed' | 'orphaned'
  readonly as_of: AsOf
  /** Of topics whose logs were restored from a backup: the epoch in which they are folded. */
  readonly epochs?: Readonly<Record<string, number>>
  /** Topics of which it has folded events that a restore took away. It is folded anew. */
  readonly astray?: readonly string[]
  /** Events of its topics that are stored and not folded yet. */
  readonly lag: number
  readonly keyed: boolean
  /**
   * What is folded anew to take its place: how far that is. A failed one stands until the definition changes,
   * or a rebuild is asked for.
   */
  readonly rebuild?: {
    readonly version: number
    readonly status: 'building' | 'failed'
    readonly lag: number
    readonly error?: ProjectionError
    readonly skipped?: SkippedEvents
  }
  /** Where it got stuck itself, and why. */
  readonly error?: ProjectionError
  /** Absent as long as it has skipped none. */
  readonly skipped?: SkippedEvents
}

/** Events that a definition with `onError: 'skip'` could not fold: the state is without them. */
export interface SkippedEvents {
  readonly count: number
  readonly last: ProjectionError
}

export interface ProjectionError {
  readonly topic: string
  readonly seq: number
  readonly event_id: string
  readonly message: string
}

/** A projection with its state, or with a page of its keys and their states. */
export interface Projection<State = unknown>
  extends Pick<FoldedProjection, 'name' | 'version' | 'status' | 'as_of' | 'epochs' | 'skipped'> {
  readonly state?: State
  readonly keys?: readonly { readonly key: string; readonly state: State }[]
  /** The `after` of the next page; absent on the last. */
  readonly next?: string
}

export interface ProjectionKey<State = unknown> {
  readonly name: string
  readonly key: string
  readonly state: State
  readonly as_of: AsOf
  readonly epochs?: Readonly<Record<string, number>>
}

export interface TopicFigures extends Figures {
  readonly topic: string
  readonly head_seq: number | null
  /** The epoch of its log, if that was ever restored from a backup. */
  readonly epoch?: number
  /** When Redis was last found to have lost data of the topic; `lost` and `accepted` are minimums since then. */
  readonly loss_at: string | null
}

export interface ConsumerFigures {
  readonly name: string
  readonly started_at: string
  readonly last_turn_at: string | null
  readonly turns: number
}

export interface Stats {
  readonly performance_metrics: {
    readonly uptime_seconds: number
    /** Null for a key of some topics alone. */
    readonly throughput_rps: number | null
  }
  readonly traffic_stats: {
    readonly total_received_api: number | null
    readonly duplicates_dropped_consumer: number | null
  }
  readonly database_stats: { readonly unique_events_stored: number | null }
  readonly totals: Figures
  /** For how long what waits longest to be stored has waited; 0 if nothing is in flight, null if it is not known. */
  readonly oldest_in_flight_seconds: number | null
  /** What nobody has dealt with; null while PostgreSQL does not answer. */
  readonly open_letters: {
    readonly entries: number
    readonly conflicts: number
    /** Of subscriptions. A gateway of before does not say it. */
    readonly deliveries?: number
  } | null
  /** null while neither Redis nor PostgreSQL answers. */
  readonly topics: readonly TopicFigures[] | null
  /** null while Redis does not answer. */
  readonly consumers: readonly ConsumerFigures[] | null
}
