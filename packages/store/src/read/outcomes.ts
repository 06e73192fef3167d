/**
 * What came of entries, exactly. Of two entries with the same event, the time of receipt shows which one was stored: it
 * holds the entry's id (see position.ts in core). Where the time is too small for that, the id is in `entry_ids`. Rows
 * of an earlier version have none there and count as what came before. So a publisher that publishes again gets
 * `duplicate` or `conflict`, and never the `stored` of another's entry.
 *
 * A duplicate leaves no trace of its own, and neither does an entry that Redis has lost. It is a duplicate if what is
 * stored came before it and has the same payload; anything else would have become the event, or a conflict.
 */
import { createHash } from 'node:crypto'
import type { EventId, StoredEvent, TopicName } from '@sekali/core/event'
import { comparePositions, isTimeExact, origin, type Position, timeOf } from '@sekali/core/position'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { settled } from '../postgres/operations-schema.ts'
import { conflicts, deadLetters, entryIds, events, topics } from '../postgres/schema.ts'
import { textArray } from '../postgres/text-array.ts'
import { livePosition } from '../turn/standing.ts'
import { type EventRow, eventColumns, toEvent } from './row.ts'

/** An event that was appended. */
export interface Sent {
  readonly topic: TopicName
  readonly eventId: EventId
  readonly timestamp: string
  readonly position: Position
  readonly digest: string
}

/** Of a payload, for {@link Sent}: who waits need not hold the payload in memory. */
export const digestOf = (payload: string): string => createHash('sha256').update(payload).digest('hex')

export type Outcome =
  /** Not accounted for yet. */
  | { readonly status: 'queued' }
  /** `seq` is the number of the event that has the id; `epoch` that of the topic's log, if it is above the first. */
  | { readonly status: 'stored' | 'conflict'; readonly seq: number; readonly epoch?: number }
  /** `differs` names what of the repeat is not as it is in the log, if anything is: it was dropped with the repeat. */
  | {
      readonly status: 'duplicate'
      readonly seq: number
      readonly epoch?: number
      readonly differs?: readonly 'timestamp'[]
    }
  | { readonly status: 'dead'; readonly reason: string }
  /** Accounted for without a trace: Redis lost the entry. */
  | { readonly status: 'lost' }

// A type and not an interface, because execute() asks for an index signature.
type OutcomeRow = {
  position: string
  epoch: number | null
  seq: string | null
  /** -1 when what is stored was received earlier, 0 when at the same time as far as times tell, 1 when later. */
  order: number | null
  /** Of what is stored, where it was noted. */
  entry_id: string | null
  is_conflict: boolean
  is_same: boolean | null
  is_as_of: boolean | null
  reason: string | null
}

/** What has come of each. OFFSET 0 keeps each look-up a descent of its index. Rejects with `StoreUnavailable`. */
export async function readOutcomes(store: Store, sent: readonly Sent[]): Promise<Outcome[]> {
  const { rows } = await store.db
    .execute<OutcomeRow>(sql`
      SELECT coalesce(t.position, ${origin}) AS position, t.epoch, e.seq,
        CASE WHEN e.received_at < sent.received_at THEN -1 WHEN e.received_at = sent.received_at THEN 0
          ELSE 1 END AS "order",
        CASE WHEN NOT sent.is_exact THEN (
          SELECT i.entry_id FROM ${entryIds} i WHERE i.topic_id = t.id AND i.seq = e.seq AND NOT i.is_conflict LIMIT 1
        ) END AS entry_id,
        CASE WHEN sent.is_exact THEN EXISTS (
          SELECT FROM ${conflicts} c WHERE c.topic_id = t.id AND c.event_id = sent.event_id
            AND c.received_at = sent.received_at
        ) ELSE EXISTS (
          SELECT FROM ${entryIds} i WHERE i.topic_id = t.id AND i.seq = e.seq AND i.is_conflict
            AND i.entry_id = sent.entry_id
        ) END AS is_conflict,
        CASE WHEN e.received_at < sent.received_at OR (e.received_at = sent.received_at AND NOT sent.is_exact) THEN (
          SELECT encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') = sent.digest FROM ${events}
          WHERE topic_id = t.id AND seq = e.seq
        ) END AS is_same,
        (SELECT reason FROM ${deadLetters} d WHERE d.topic_id = t.id AND d.entry_id = sent.entry_id LIMIT 1) AS reason,
        e."timestamp" = sent."timestamp" AS is_as_of
      FROM unnest(
        ${textArray(sent.map(({ topic }) => topic))}::text[],
        ${textArray(sent.map(({ eventId }) => eventId))}::text[],
        ${textArray(sent.map(({ position }) => position))}::text[],
        ${sql.param(sent.map(({ position }) => timeOf(position)))}::timestamptz[],
        ${textArray(sent.map(({ digest }) => digest))}::text[],
        ${sql.param(sent.map(({ timestamp }) => timestamp))}::timestamptz[],
        ${sql.param(sent.map(({ position }) => isTimeExact(position)))}::boolean[]
      ) WITH ORDINALITY AS sent (topic, event_id, entry_id, received_at, digest, "timestamp", is_exact, at)
      LEFT JOIN LATERAL (
        SELECT id, epoch, ${livePosition} AS position FROM ${topics} WHERE name = sent.topic OFFSET 0
      ) t ON true
      LEFT JOIN LATERAL (
        SELECT seq, received_at, "timestamp" FROM ${events} WHERE topic_id = t.id AND event_id = sent.event_id OFFSET 0
      ) e ON true
      ORDER BY sent.at`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of outcomes')
    })
  return rows.map((row, index) => outcomeOf(row, sent[index] as Sent))
}

function outcomeOf(row: OutcomeRow, sent: Sent): Outcome {
  if (comparePositions(row.position as Position, sent.position) < 0) return { status: 'queued' }
  if (row.reason !== null) return { status: 'dead', reason: row.reason }
  const place = { seq: Number(row.seq), ...(row.epoch !== null && row.epoch > 1 && { epoch: row.epoch }) }
  const order = orderOf(row, sent.position)
  if (order === 0) return { status: 'stored', ...place }
  if (row.is_conflict) return { status: 'conflict', ...place }
  if (!row.is_same || order >= 0) return { status: 'lost' }
  return { status: 'duplicate', ...place, ...(row.is_as_of === false && { differs: ['timestamp'] }) }
}

/** As `order` of the row, and exact. */
function orderOf({ order, entry_id }: OutcomeRow, position: Position): number {
  if (order === null || order !== 0 || isTimeExact(position)) return order ?? 1
  // Without an id it is of a version before, so it was there before this entry came.
  return entry_id === null ? -1 : comparePositions(entry_id as Position, position)
}

/**
 * What is known of an event by its id: the event, or why an entry with it became a dead letter that was not redriven, or
 * neither.
 */
export interface Known {
  readonly event: StoredEvent | undefined
  readonly dead: { readonly reason: string } | undefined
  /** Up to where the topic is accounted for. */
  readonly position: Position
}

/** Rejects with `StoreUnavailable`. */
export async function findEvent(store: Store, topic: TopicName, eventId: EventId): Promise<Known> {
  const { rows } = await store.db
    .execute<Partial<EventRow> & { position: string; epoch: number; reason: string | null }>(sql`
      SELECT CASE WHEN t.retired THEN ${origin} ELSE t.position END AS position, t.epoch, ${eventColumns},
        (SELECT reason FROM ${deadLetters} d
          WHERE d.topic_id = t.id AND d.event_id = ${eventId} AND NOT EXISTS (
            SELECT FROM ${settled} s WHERE s.kind = 'entry' AND s.letter = d.id AND s.became = 'redriven'
          ) ORDER BY id DESC LIMIT 1) AS reason
      FROM ${topics} t
      LEFT JOIN ${events} e ON e.topic_id = t.id AND e.event_id = ${eventId}
      WHERE t.name = ${topic}`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of an event')
    })
  const [row] = rows
  return {
    event: row && typeof row.seq === 'string' ? toEvent(topic, row as EventRow, row.epoch) : undefined,
    dead: typeof row?.reason === 'string' ? { reason: row.reason } : undefined,
    position: (row?.position ?? origin) as Position,
  }
}
