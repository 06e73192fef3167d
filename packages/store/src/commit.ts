/**
 * Stores a turn's events: tells the new from the known, numbers the new ones in the order of the stream and
 * counts the rest. One statement does it, whatever the number of events: columns travel as arrays (65,535
 * parameters are the protocol's limit, and one text for all sizes can be planned once).
 */
import type { Event, EventId } from '@sekali/core/event'
import { sql } from 'drizzle-orm'
import type { Db } from './connect.ts'
import { conflicts, events } from './schema.ts'
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
export async function commitEvents(tx: Db, turn: Turn, received: readonly Received[]): Promise<Outcome> {
  const sum = { stored: 0, duplicates: 0, conflicts: 0 }
  for (const { firsts, repeats } of chunksOf(received)) {
    const known = await insertNew(tx, turn, turn.head + sum.stored, firsts)
    const conflicting = new Set(
      known.filter(({ same }) => !same).map(({ at }) => firsts[at - 1]?.event.eventId),
    )
    const repeatsInConflict = repeats.filter(({ event }) => conflicting.has(event.eventId))
    await keepConflicts(tx, turn, [
      ...known.filter(({ same }) => !same).map(({ at }) => firsts[at - 1] as Received),
      ...repeatsInConflict,
    ])
    sum.stored += firsts.length - known.length
    sum.conflicts += conflicting.size + repeatsInConflict.length
    sum.duplicates += known.length - conflicting.size + repeats.length - repeatsInConflict.length
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

/** Byte for byte, the payload included: a publisher that repeats itself sends what it sent. */
const hasSameContent = (a: Event, b: Event): boolean =>
  a.timestamp === b.timestamp && a.source === b.source && a.payload === b.payload

interface Known {
  /** Place in the batch, from 1. */
  readonly at: number
  /** Whether the stored event has the same content. */
  readonly same: boolean
}

/**
 * Inserts those of `firsts` whose ids are new, numbered from `head + 1` in their order, and returns the others.
 *
 * The look-up is a subquery per event on purpose: it stays an index look-up whatever the planner thinks of the
 * table. `NOT EXISTS` became a hash join over the whole log, and `= ANY (ids)` fell to a generic plan that stored
 * 6,000 events a second where this one stores ten times as many. ON CONFLICT is not needed, because the row lock
 * makes this transaction the topic's only writer; should somebody write past it, the unique key refuses.
 */
async function insertNew(tx: Db, turn: Turn, head: number, firsts: readonly Received[]): Promise<Known[]> {
  const column = (pick: (item: Received) => string) => sql.param(firsts.map(pick))
  const { rows } = await tx.execute<{ at: string; same: boolean }>(sql`
    WITH batch AS MATERIALIZED (
      SELECT b.*, (SELECT e.seq FROM ${events} e WHERE e.topic_id = ${turn.topicId} AND e.event_id = b.event_id) AS known
      FROM unnest(
        ${column(({ event }) => event.eventId)}::text[],
        ${column(({ event }) => event.timestamp)}::timestamptz[],
        ${column(({ event }) => event.source)}::text[],
        ${column(({ event }) => event.payload)}::text[],
        ${column(({ receivedAt }) => receivedAt)}::timestamptz[]
      ) WITH ORDINALITY AS b (event_id, "timestamp", source, payload, received_at, at)
    ), inserted AS (
      INSERT INTO ${events} (topic_id, seq, event_id, "timestamp", source, payload, received_at)
      SELECT ${turn.topicId}, ${head} + row_number() OVER (ORDER BY at),
        event_id, "timestamp", source, payload::json, received_at
      FROM batch WHERE known IS NULL
      ORDER BY at
    )
    SELECT b.at, e."timestamp" = b."timestamp" AND e.source = b.source AND e.payload::text = b.payload AS same
    FROM batch b JOIN ${events} e ON e.topic_id = ${turn.topicId} AND e.seq = b.known
    WHERE b.known IS NOT NULL
    ORDER BY b.at`)
  return rows.map(({ at, same }) => ({ at: Number(at), same }))
}

async function keepConflicts(tx: Db, turn: Turn, received: readonly Received[]): Promise<void> {
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
