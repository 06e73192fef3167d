/**
 * What came of entries, exactly: of two entries with the same event the one that was stored is told from the other by
 * its time of receipt, which holds the entry's id (see position.ts in core). That fails only for more than 999
 * entries of a topic within a millisecond, and then only between those.
 *
 * A duplicate leaves no trace of its own, and neither does an entry that Redis has lost. It is a duplicate if what is
 * stored came before it and has the same payload; anything else would have become the event, or a conflict.
 */
import { createHash } from 'node:crypto'
import type { EventId, StoredEvent, TopicName } from '@sekali/core/event'
import { comparePositions, origin, type Position, timeOf } from '@sekali/core/position'
import type { Store } from './connect.ts'
import { sql } from './drizzle.ts'
import { asStoreError } from './errors.ts'
import { type Row, toEvent } from './row.ts'
import { conflicts, deadLetters, events, topics } from './schema.ts'
import { livePosition } from './standing.ts'
import { textArray } from './text-array.ts'

/** An event that was appended. */
export interface Sent {
  readonly topic: TopicName
  readonly eventId: EventId
  readonly position: Position
  readonly digest: string
}

/** Of a payload, for {@link Sent}: who waits need not hold the payload in memory. */
export const digestOf = (payload: string): string => createHash('sha256').update(payload).digest('hex')

export type Outcome =
  /** Not accounted for yet. */
  | { readonly status: 'queued' }
  /** `seq` is the number of the event that has the id. */
  | { readonly status: 'stored' | 'duplicate' | 'conflict'; readonly seq: number }
  | { readonly status: 'dead'; readonly reason: string }
  /** Accounted for without a trace: Redis lost the entry. */
  | { readonly status: 'lost' }

// A type and not an interface, because execute() asks for an index signature.
type OutcomeRow = {
  position: string
  seq: string | null
  is_first: boolean | null
  is_conflict: boolean
  is_duplicate: boolean | null
  reason: string | null
}

/** What has come of each. OFFSET 0 keeps each look-up a descent of its index. Rejects with `StoreUnavailable`. */
export async function readOutcomes(store: Store, sent: readonly Sent[]): Promise<Outcome[]> {
  const { rows } = await store.db
    .execute<OutcomeRow>(sql`
      SELECT coalesce(t.position, ${origin}) AS position, e.seq, e.received_at = sent.received_at AS is_first,
        EXISTS (SELECT FROM ${conflicts} c WHERE c.topic_id = t.id AND c.event_id = sent.event_id
          AND c.received_at = sent.received_at) AS is_conflict,
        CASE WHEN e.received_at < sent.received_at THEN (
          SELECT encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') = sent.digest FROM ${events}
          WHERE topic_id = t.id AND seq = e.seq
        ) END AS is_duplicate,
        (SELECT reason FROM ${deadLetters} d WHERE d.topic_id = t.id AND d.entry_id = sent.entry_id LIMIT 1) AS reason
      FROM unnest(
        ${textArray(sent.map(({ topic }) => topic))}::text[],
        ${textArray(sent.map(({ eventId }) => eventId))}::text[],
        ${textArray(sent.map(({ position }) => position))}::text[],
        ${sql.param(sent.map(({ position }) => timeOf(position)))}::timestamptz[],
        ${textArray(sent.map(({ digest }) => digest))}::text[]
      ) WITH ORDINALITY AS sent (topic, event_id, entry_id, received_at, digest, at)
      LEFT JOIN LATERAL (
        SELECT id, ${livePosition} AS position FROM ${topics} WHERE name = sent.topic OFFSET 0
      ) t ON true
      LEFT JOIN LATERAL (
        SELECT seq, received_at FROM ${events} WHERE topic_id = t.id AND event_id = sent.event_id OFFSET 0
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
  const seq = Number(row.seq)
  if (row.is_first) return { status: 'stored', seq }
  if (row.is_conflict) return { status: 'conflict', seq }
  return row.is_duplicate ? { status: 'duplicate', seq } : { status: 'lost' }
}

/** What is known of an event by its id: the event, or why an entry with it became a dead letter, or neither. */
export interface Known {
  readonly event: StoredEvent | undefined
  readonly dead: { readonly reason: string } | undefined
  /** Up to where the topic is accounted for. */
  readonly position: Position
}

/** Rejects with `StoreUnavailable`. */
export async function findEvent(store: Store, topic: TopicName, eventId: EventId): Promise<Known> {
  const { rows } = await store.db
    .execute<Partial<Row> & { position: string; reason: string | null }>(sql`
      SELECT CASE WHEN t.retired THEN ${origin} ELSE t.position END AS position, t.name AS topic, e.event_id, e."timestamp", e.source, e.payload::text AS payload, e.seq,
        e.received_at, e.stored_at,
        (SELECT reason FROM ${deadLetters} d
          WHERE d.topic_id = t.id AND d.event_id = ${eventId} ORDER BY id DESC LIMIT 1) AS reason
      FROM ${topics} t
      LEFT JOIN ${events} e ON e.topic_id = t.id AND e.event_id = ${eventId}
      WHERE t.name = ${topic}`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of an event')
    })
  const [row] = rows
  return {
    event: row && typeof row.seq === 'string' ? toEvent(row as Row) : undefined,
    dead: typeof row?.reason === 'string' ? { reason: row.reason } : undefined,
    position: (row?.position ?? origin) as Position,
  }
}
