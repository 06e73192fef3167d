/**
 * What came of entries, exactly. Of two entries with the same event, the time of receipt shows which one was stored: it
 * holds the entry's id (see position.ts in core). Where the time is too small for that, the id is in `entry_ids`. Rows
 * of an earlier version have none there and count as what came before. So a publisher that publishes again gets
 * `duplicate` or `conflict`, and never the `stored` of another's entry.
 *
 * A duplicate leaves no trace of its own, and neither does an entry that Redis has lost. It is a duplicate if what is
 * stored came before it and has the same content; anything else would have become the event, or a conflict. Where payloads
 * are compared by what they mean, their texts may differ. Then it is a duplicate as well if Redis has never lost anything of
 * the topic; otherwise the stored payload is read.
 */
import { hash } from 'node:crypto'
import type { EventId, StoredEvent, TopicName } from '@sekali/core/event'
import { comparePositions, isTimeExact, origin, type Position, timeOf } from '@sekali/core/position'
import { digestOfJson, type TagKind } from '../keys/content-tag.ts'
import { eventOfId } from '../keys/event-of-id.ts'
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
  /** Of what the payload means (`digestOfJson`). */
  readonly jsonDigest?: string | undefined
}

/** Of a payload, for {@link Sent}: who waits need not hold the payload in memory. */
export const digestOf = (payload: string): string => hash('sha256', payload)

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
      readonly differs?: readonly Differing[]
    }
  | { readonly status: 'dead'; readonly reason: string }
  /** Accounted for without a trace: Redis lost the entry. */
  | { readonly status: 'lost' }

/** `payload`: it means the same, and is written in another way. */
type Differing = 'timestamp' | 'payload'

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
  /** Whether Redis has ever lost anything of the topic. */
  has_loss: boolean | null
  same_content: TagKind | null
  topic_id: number | null
  reason: string | null
}

/** What has come of each. OFFSET 0 keeps each look-up a descent of its index: without it PostgreSQL may read all conflicts into a hash. Rejects with `StoreUnavailable`. */
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
            AND c.received_at = sent.received_at OFFSET 0
        ) ELSE EXISTS (
          SELECT FROM ${entryIds} i WHERE i.topic_id = t.id AND i.seq = e.seq AND i.is_conflict
            AND i.entry_id = sent.entry_id OFFSET 0
        ) END AS is_conflict,
        CASE WHEN e.received_at < sent.received_at OR (e.received_at = sent.received_at AND NOT sent.is_exact) THEN (
          SELECT encode(sha256(convert_to(payload::text, 'UTF8')), 'hex') = sent.digest FROM ${events}
          WHERE topic_id = t.id AND seq = e.seq
        ) END AS is_same,
        (SELECT reason FROM ${deadLetters} d WHERE d.topic_id = t.id AND d.entry_id = sent.entry_id LIMIT 1) AS reason,
        e."timestamp" = sent."timestamp" AS is_as_of, t.has_loss, t.same_content, t.id AS topic_id
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
        SELECT id, epoch, keyed, ${livePosition} AS position, same_content, loss_at IS NOT NULL AS has_loss
        FROM ${topics} WHERE name = sent.topic OFFSET 0
      ) t ON true
      LEFT JOIN LATERAL (${eventOfId(sql`l.seq, l.received_at, l."timestamp"`, sql`sent.event_id`)}) e ON true
      ORDER BY sent.at`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of outcomes')
    })
  const outcomes: Outcome[] = []
  // One after the other: each payload may be large, and few are read.
  for (const [index, row] of rows.entries()) outcomes.push(await outcomeOf(store, row, sent[index] as Sent))
  return outcomes
}

async function outcomeOf(store: Store, row: OutcomeRow, sent: Sent): Promise<Outcome> {
  if (comparePositions(row.position as Position, sent.position) < 0) return { status: 'queued' }
  if (row.reason !== null) return { status: 'dead', reason: row.reason }
  const place = { seq: Number(row.seq), ...(row.epoch !== null && row.epoch > 1 && { epoch: row.epoch }) }
  const order = orderOf(row, sent.position)
  if (order === 0) return { status: 'stored', ...place }
  if (row.is_conflict) return { status: 'conflict', ...place }
  if (order >= 0 || !(row.is_same || (await meansTheSame(store, row, sent)))) return { status: 'lost' }
  const differs: Differing[] = []
  if (row.is_as_of === false) differs.push('timestamp')
  if (!row.is_same) differs.push('payload')
  return { status: 'duplicate', ...place, ...(differs.length > 0 && { differs }) }
}

/** Of an entry that was dropped without a conflict, and whose payload is another text than the stored one. */
async function meansTheSame(store: Store, row: OutcomeRow, { jsonDigest }: Sent): Promise<boolean> {
  if (row.same_content !== 'json') return false
  if (!row.has_loss) return true
  const { rows } = await store.db
    .execute<{ payload: string }>(
      sql`SELECT payload::text FROM ${events} WHERE topic_id = ${row.topic_id} AND seq = ${row.seq}`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of a payload')
    })
  return jsonDigest !== undefined && digestOfJson(rows[0]?.payload ?? '') === jsonDigest
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
      LEFT JOIN LATERAL (${eventOfId(sql`l.*`, eventId)}) e ON true
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
