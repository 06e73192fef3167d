/**
 * Stores a turn's events: tells the known from the new, numbers the new ones in the order of the stream, adds them to
 * the log and counts the rest. ON CONFLICT is not needed, because the row lock makes this transaction the topic's
 * only writer; should somebody write past it, the unique key refuses.
 *
 * There are three ways, which give the same:
 * - few events: one statement does it all, because round trips are what a small turn costs;
 * - many: a look-up, then COPY of the new ones. For a thousand rows a statement like the one for few reaches half of
 *   COPY's rate;
 * - many of a topic that has long had nothing known: COPY at once, under a savepoint. If the unique key refuses, back
 *   to the savepoint and look up. That saves a third of what a turn costs, and a wrong guess costs a COPY.
 */
import type { Event, EventId } from '@sekali/core/event'
import { sql } from 'drizzle-orm'
import type { Tx } from './connect.ts'
import { copyEvents } from './copy.ts'
import { asStoreError, isKnownEvent } from './errors.ts'
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
    const head = turn.head + sum.stored
    const known = await storeNew(tx, turn.topicId, head, firsts)

    const conflicting = firsts.filter((_, at) => known.get(at)?.same === false)
    const ids = new Set(conflicting.map(({ event }) => event.eventId))
    conflicting.push(...repeats.filter(({ event }) => ids.has(event.eventId)))
    await keepConflicts(tx, turn, conflicting)

    sum.stored += firsts.length - known.size
    sum.conflicts += conflicting.length
    sum.duplicates += known.size + repeats.length - conflicting.length
  }
  return sum
}

/** The events that are known, by their place, and whether the event that has the id is the same. */
type Known = ReadonlyMap<number, { readonly same: boolean }>

/** Up to so many events a single statement is cheaper than a look-up and COPY. */
const fewMax = 64

/**
 * After so many events of a topic of which none was known, the next are taken for new as well. A publisher that repeats
 * one event in so many makes a turn in ten copy its rows twice, at the worst.
 */
const newInARow = 10_000

/** Stores the events of `firsts` that are new, numbered from `head + 1`, and returns the others. */
async function storeNew(tx: Tx, topicId: number, head: number, firsts: readonly Received[]): Promise<Known> {
  const streak = tx.streaks.get(topicId) ?? 0
  const known =
    firsts.length <= fewMax
      ? await storeFew(tx, topicId, head, firsts)
      : streak >= newInARow && (await copyIfNew(tx, topicId, head, firsts))
        ? noneKnown
        : await copyUnknown(tx, topicId, head, firsts)
  // A guess for the turns to come. Should this one be rolled back, it is none the worse.
  tx.streaks.set(topicId, known.size === 0 ? streak + firsts.length : 0)
  return known
}

const noneKnown: Known = new Map()

async function copyUnknown(
  tx: Tx,
  topicId: number,
  head: number,
  firsts: readonly Received[],
): Promise<Known> {
  const known = await findKnown(tx, topicId, firsts)
  const fresh = known.size === 0 ? firsts : firsts.filter((_, at) => !known.has(at))
  await copyEvents(tx, topicId, head, fresh)
  return known
}

/** Adds all events, or none and says `false` when one of their ids is taken. */
async function copyIfNew(
  tx: Tx,
  topicId: number,
  head: number,
  firsts: readonly Received[],
): Promise<boolean> {
  try {
    await copyEvents(tx, topicId, head, firsts, 'SAVEPOINT guess; ')
    return true
  } catch (error) {
    const refused = asStoreError(error, 'copy')
    if (!isKnownEvent(refused)) throw refused
    await tx.$client.query('ROLLBACK TO SAVEPOINT guess')
    return false
  }
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
 * Looks ids up. OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each
 * is one descent of the unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell
 * to a generic plan that stored 6,000 events a second where this one stores ten times as many.
 */
const lookUp = `
  SELECT l."timestamp", l.source, l.payload::text AS payload
  FROM events l WHERE l.topic_id = $1 AND l.event_id = b.event_id
  OFFSET 0`

const findKnownText = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($2::text[]) WITH ORDINALITY AS b (event_id, at) CROSS JOIN LATERAL (${lookUp}) e`

async function findKnown(tx: Tx, topicId: number, firsts: readonly Received[]): Promise<Known> {
  const ids = textArray(firsts.map(({ event }) => event.eventId))
  const { rows } = await tx.$client.query({
    name: 'find_known',
    text: findKnownText,
    values: [topicId, ids],
    types,
  })
  return compare(rows, firsts)
}

const storeFewText = `
  WITH batch AS (
    SELECT b.*, e."timestamp" AS known_timestamp, e.source AS known_source, e.payload AS known_payload
    FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      WITH ORDINALITY AS b (event_id, "timestamp", source, payload, received_at, at)
    LEFT JOIN LATERAL (${lookUp}) e ON true
  ), stored AS (
    INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
    SELECT $1, $2 + row_number() OVER (ORDER BY at), event_id, "timestamp"::timestamptz, source, payload::json,
      received_at::timestamptz
    FROM batch WHERE known_timestamp IS NULL
  )
  SELECT at - 1 AS at, known_timestamp AS "timestamp", known_source AS source, known_payload AS payload
  FROM batch WHERE known_timestamp IS NOT NULL`

async function storeFew(tx: Tx, topicId: number, head: number, firsts: readonly Received[]): Promise<Known> {
  const column = (pick: (item: Received) => string) => textArray(firsts.map(pick))
  const { rows } = await tx.$client.query({
    name: 'store_few',
    text: storeFewText,
    values: [
      topicId,
      head,
      column(({ event }) => event.eventId),
      column(({ event }) => event.timestamp),
      column(({ event }) => event.source),
      column(({ event }) => event.payload),
      column(({ receivedAt }) => receivedAt),
    ],
    types,
  })
  return compare(rows, firsts)
}

/** Everything as PostgreSQL prints it: a Date would have no microseconds. */
const types = { getTypeParser: () => String }

const compare = (rows: (Content & { at: string })[], firsts: readonly Received[]): Known =>
  new Map(
    rows.map(({ at, ...stored }) => [
      Number(at),
      { same: hasSameContent({ ...stored, timestamp: utc(stored.timestamp) }, firsts[Number(at)]?.event) },
    ]),
  )

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
