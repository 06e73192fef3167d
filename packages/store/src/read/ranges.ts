import type { StoredEvent } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, topics } from '../postgres/schema.ts'
import { eventOf, page, type Row } from './row.ts'

/** Some of a topic's events: those with `after` < seq <= `upTo`, of an epoch of its log. */
export interface Range {
  readonly topicId: number
  readonly epoch: number
  readonly after: number
  readonly upTo: number
}

export interface RangesLimits {
  /** Events of all ranges together. */
  readonly eventsMax: number
  /** Bytes of their payloads; one event is read whatever its size. */
  readonly bytesMax: number
}

export interface RangeEvent {
  readonly topicId: number
  readonly event: StoredEvent
}

/**
 * The first events of several ranges, merged: of the topics' next events always the one that was stored first, so
 * that each topic's come by seq, whatever its clock did. At least one, if there is any: of a topic that is in another epoch
 * by now there is none. Rejects with `StoreUnavailable`.
 *
 * Of every range only a share is looked at. The order is certain up to where the first share ends: what lies beyond
 * must wait for a later read.
 */
export async function readRanges(
  store: Store,
  ranges: readonly Range[],
  { eventsMax, bytesMax }: RangesLimits,
): Promise<RangeEvent[]> {
  const share = Math.min(eventsMax, Math.max(8, Math.ceil((2 * eventsMax) / ranges.length)))
  const column = (pick: (range: Range) => number) => sql.param(ranges.map(pick))
  const merged = sql`
    WITH looked_at AS (
      SELECT t.name AS topic, t.epoch, e.*
      FROM unnest(
        ${column(({ topicId }) => topicId)}::int[],
        ${column(({ epoch }) => epoch)}::int[],
        ${column(({ after }) => after)}::bigint[],
        ${column(({ upTo }) => upTo)}::bigint[]
      ) AS r (topic_id, epoch, after, up_to)
      JOIN ${topics} t ON t.id = r.topic_id AND t.epoch = r.epoch
      CROSS JOIN LATERAL (
        SELECT l.*, max(l.stored_at) OVER (ORDER BY l.seq) AS key
        FROM (
          -- Not LIMIT: seqs have no gap, and of a range PostgreSQL need not guess how much there is.
          SELECT * FROM ${events} l
          WHERE l.topic_id = r.topic_id AND l.seq BETWEEN r.after + 1 AND least(r.up_to, r.after + ${share}::bigint)
        ) l
      ) e
    ), certain AS (
      SELECT max(key) AS key, topic FROM looked_at GROUP BY topic HAVING count(*) = ${share} ORDER BY 1, 2 LIMIT 1
    )
    SELECT * FROM looked_at p
    WHERE NOT EXISTS (SELECT FROM certain c WHERE (p.key, p.topic) > (c.key, c.topic))
    ORDER BY key, topic, seq
    LIMIT ${eventsMax}`
  const statement = page(merged, sql`key, topic, seq`, bytesMax)
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  return rows.map((row) => ({ topicId: row.topic_id, event: eventOf(row) }))
}
