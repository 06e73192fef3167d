/** An event as it is sent. */
export interface EventToPublish {
  readonly topic: string
  /** Yours, unique in the topic: it is what a repeat is recognised by. */
  readonly event_id: string
  /** ISO 8601 with an offset, at most six fractional digits. */
  readonly timestamp: string
  readonly source: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface Published {
  readonly status: 'queued'
  readonly event_id: string
}

/** An event as it is kept. The times are UTC, to the microsecond. */
export interface StoredEvent extends EventToPublish {
  /** 1, 2, 3 … in its topic, without a gap. */
  readonly seq: number
  readonly received_at: string
  readonly stored_at: string
}

export interface EventsQuery {
  readonly topic?: string
  /** 1 to 1,000; the gateway's default is 100. */
  readonly limit?: number
  /** Ascending from the first seq above this one, instead of newest first; needs `topic`. */
  readonly after?: number
}

/** accepted = stored + duplicates + conflicts + dead + lost + in_flight; null is what cannot be known now. */
export interface Figures {
  readonly accepted: number | null
  readonly stored: number | null
  readonly duplicates: number | null
  readonly conflicts: number | null
  readonly dead: number | null
  readonly lost: number | null
  readonly in_flight: number | null
}

export interface TopicFigures extends Figures {
  readonly topic: string
  readonly head_seq: number | null
}

export interface ConsumerFigures {
  readonly name: string
  readonly started_at: string
  readonly last_turn_at: string | null
  readonly turns: number
}

export interface Stats {
  readonly performance_metrics: { readonly uptime_seconds: number; readonly throughput_rps: number }
  readonly traffic_stats: {
    readonly total_received_api: number | null
    readonly duplicates_dropped_consumer: number | null
  }
  readonly database_stats: { readonly unique_events_stored: number | null }
  readonly totals: Figures
  /** null while neither Redis nor PostgreSQL answers. */
  readonly topics: readonly TopicFigures[] | null
  /** null while Redis does not answer. */
  readonly consumers: readonly ConsumerFigures[] | null
}
