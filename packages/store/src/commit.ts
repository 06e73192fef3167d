/**
 * Stores a turn's events: tells the known from the new with one query, numbers the new ones in the order of the
 * stream and copies them into the log, and counts the rest. ON CONFLICT is not needed, because the row lock makes
 * this transaction the topic's only writer; should somebody write past it, the unique key refuses.
 *
 * COPY, because it writes a page's worth of rows as one record: a single INSERT … SELECT that did all of this, in
 * one round trip less, reached half of its rate.
 */
import type { Event, EventId } from '@sekali/core/event'
import { sql } from 'drizzle-orm'
import type { Tx } from './connect.ts'
import { copyRows, rowOf } from './copy.ts'
import { conflicts, events } from './schema.ts'
import { textArray } from './text-array.ts'
import { utc } from './time.ts'
import type { Turn } from './turn.ts'

export interface Received {
  readonly event: Event
  readonly receivedAt: string
}

/** How many of the events were stored, were there already, and came under an id that another content has. */
export interface Outcome {
  readonly stored: number
  readonly duplicates: number
  readonly conflicts: number
}

/** Commits a turn's events, in stream order. `head` is the topic's last seq so far. */
export async function commitEvents(tx: Tx, turn: Turn, received: readonly Received[]): Promise<Outcome> {
  const sum = { stored: 0, duplicates: 0, conflicts: 0 }
  for (const { firsts, repeats } of chunksOf(received)) {
    const looking = findKnown(tx, turn, firsts)
    const rows = firsts.map(rowOf) // while PostgreSQL looks
    const known = await looking
    const fresh = rows.filter((_, at) => !known.has(at))
    await copyRows(tx, turn.topicId, turn.head + sum.stored, fresh)

    const conflicting = firsts.filter((_, at) => known.get(at)?.same === false)
    const ids = new Set(conflicting.map(({ event }) => event.eventId))
    conflicting.push(...repeats.filter(({ event }) => ids.has(event.eventId)))
    await keepConflicts(tx, turn, conflicting)

    sum.stored += fresh.length
    sum.conflicts += conflicting.length
    sum.duplicates += firsts.length + repeats.length - fresh.length - conflicting.length
  }
  return sum
}

interface Chunk {
  /** The first event of each id. */
  readonly firsts: Received[]
  /** Later events of those ids, each with the content of the first. */
  readonly repeats: Received[]
}

/**
 * Cuts a batch where an id comes back with another content, so that within a chunk every id means one content.
 * Nearly always that is one chunk.
 */
function chunksOf(received: readonly Received[]): Chunk[] {
  const chunks: Chunk[] = []
  let seen = new Map<EventId, Event>()
  let chunk: Chunk = { firsts: [], repeats: [] }
  for (const item of received) {
    const first = seen.get(item.event.eventId)
    if (first !== undefined && hasSameContent(first, item.event)) {
      chunk.repeats.push(item)
      continue
    }
    if (first !== undefined) {
      chunks.push(chunk)
      chunk = { firsts: [], repeats: [] }
      seen = new Map()
    }
    seen.set(item.event.eventId, item.event)
    chunk.firsts.push(item)
  }
  if (chunk.firsts.length > 0) chunks.push(chunk)
  return chunks
}

type Content = { timestamp: string; source: string; payload: string }

/** Byte for byte, the payload included: a publisher that repeats itself sends what it sent. */
const hasSameContent = (a: Content, b: Content | undefined): boolean =>
  a.timestamp === b?.timestamp && a.source === b.source && a.payload === b.payload

/**
 * The events of `firsts` whose ids are taken, by their place, and whether the event that has the id is the same.
 *
 * OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each is one
 * descent of the unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell to a
 * generic plan that stored 6,000 events a second where this one stores ten times as many.
 */
async function findKnown(
  tx: Tx,
  turn: Turn,
  firsts: readonly Received[],
): Promise<Map<number, { same: boolean }>> {
  const { rows } = await tx.execute<KnownRow>(sql`
    SELECT b.at - 1 AS at, e.*
    FROM unnest(${textArray(firsts.map(({ event }) => event.eventId))}::text[]) WITH ORDINALITY AS b (event_id, at)
    CROSS JOIN LATERAL (
      SELECT l."timestamp", l.source, l.payload::text AS payload
      FROM ${events} l WHERE l.topic_id = ${turn.topicId} AND l.event_id = b.event_id
      OFFSET 0
    ) e`)
  return new Map(
    rows.map(({ at, ...stored }) => [
      Number(at),
      { same: hasSameContent({ ...stored, timestamp: utc(stored.timestamp) }, firsts[Number(at)]?.event) },
    ]),
  )
}

// A type and not an interface, because execute() asks for an index signature.
type KnownRow = Content & { at: string }

async function keepConflicts(tx: Tx, turn: Turn, received: readonly Received[]): Promise<void> {
  if (received.length === 0) return
  const column = (pick: (item: Received) => string) => sql.param(received.map(pick))
  await tx.execute(sql`
    INSERT INTO ${conflicts} (topic_id, seq, event_id, "timestamp", source, payload, received_at)
    SELECT ${turn.topicId}, e.seq, b.event_id, b."timestamp", b.source, b.payload::json, b.received_at
    FROM unnest(
      ${column(({ event }) => event.eventId)}::text[],
      ${column(({ event }) => event.timestamp)}::timestamptz[],
      ${column(({ event }) => event.source)}::text[],
      ${column(({ event }) => event.payload)}::text[],
      ${column(({ receivedAt }) => receivedAt)}::timestamptz[]
    ) WITH ORDINALITY AS b (event_id, "timestamp", source, payload, received_at, at)
    JOIN ${events} e ON e.topic_id = ${turn.topicId} AND e.event_id = b.event_id
    ORDER BY b.at`)
}
