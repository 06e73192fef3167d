/**
 * Stores a turn's events: tells the known from the new, numbers the new ones in the order of the stream, adds them to
 * the log and counts the rest. ON CONFLICT is not needed, because the row lock makes this transaction the topic's
 * only writer; should somebody write past it, the unique key refuses.
 *
 * There are two ways, which give the same:
 * - a look-up of the ids, then COPY of the new ones;
 * - where nothing has been known for long: COPY at once, under a savepoint. If the unique key refuses, back to the
 *   savepoint and look up. That saves a third of what a turn costs, and a wrong guess costs a COPY.
 *
 * Several topics' events go together: a small turn costs its round trips and its flush to disk, not its events.
 */
import type { Event, EventId } from '@sekali/core/event'
import type { Tx } from './connect.ts'
import { copyEvents, type Numbered } from './copy.ts'
import { sql } from './drizzle.ts'
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

/** What has come of a topic, in stream order. */
export interface Batch {
  readonly turn: Turn
  readonly received: readonly Received[]
}

/** Commits a turn's events. `turn.head` is the topic's last seq so far. */
export async function commitEvents(tx: Tx, turn: Turn, received: readonly Received[]): Promise<Outcome> {
  const [outcome] = await commitBatches(tx, [{ turn, received }])
  return outcome as Outcome
}

/** Commits the events of several topics' turns, each of another topic. Resolves with an outcome for each. */
export async function commitBatches(tx: Tx, batches: readonly Batch[]): Promise<Outcome[]> {
  const outcomes = batches.map(() => ({ stored: 0, duplicates: 0, conflicts: 0 }))
  const chunks = batches.map(({ received }) => cutAtConflicts(received))
  for (let round = 0; chunks.some(({ length }) => round < length); round++) {
    const parts = batches.flatMap(({ turn }, at) => {
      const sum = outcomes[at] as (typeof outcomes)[number]
      const chunk = chunks[at]?.[round]
      return chunk === undefined ? [] : [{ turn, sum, head: turn.head + sum.stored, ...chunk }]
    })
    const known = await storeNew(tx, parts)
    for (const [at, { turn, sum, firsts, repeats }] of parts.entries()) {
      const ours = known[at] as Known
      const conflicting = firsts.filter((_, place) => ours.get(place)?.same === false)
      const ids = new Set(conflicting.map(({ event }) => event.eventId))
      conflicting.push(...repeats.filter(({ event }) => ids.has(event.eventId)))
      await keepConflicts(tx, turn, conflicting)

      sum.stored += firsts.length - ours.size
      sum.conflicts += conflicting.length
      sum.duplicates += ours.size + repeats.length - conflicting.length
    }
  }
  return outcomes
}

/** Events of one topic with an id each. */
interface Part {
  readonly turn: Turn
  /** The last seq before them. */
  readonly head: number
  readonly firsts: readonly Received[]
}

/** The events that are known, by their place in a part, and whether the event that has the id is the same. */
type Known = ReadonlyMap<number, { readonly same: boolean }>

/**
 * When so many times as many events of a topic as there are now were new before, these are taken for new as well. A
 * publisher that repeats one event in so many makes a turn in ten copy its rows twice, at the worst.
 */
const newBefore = 10

/** Stores the events that are new, numbered from each part's `head + 1`, and says for each part which are not. */
async function storeNew(tx: Tx, parts: readonly Part[]): Promise<Known[]> {
  const { streaks } = tx
  const streakOf = ({ turn }: Part) => streaks.get(turn.topicId) ?? 0
  const isGuessed = parts.every((part) => streakOf(part) >= newBefore * part.firsts.length)
  const known = (isGuessed && (await copyIfNew(tx, parts))) || (await copyUnknown(tx, parts))
  // A guess for the turns to come. Should this one be rolled back, it is none the worse.
  for (const [at, part] of parts.entries()) {
    streaks.set(part.turn.topicId, known[at]?.size === 0 ? streakOf(part) + part.firsts.length : 0)
  }
  return known
}

async function copyUnknown(tx: Tx, parts: readonly Part[]): Promise<Known[]> {
  const known = await findKnown(tx, parts)
  await copyEvents(tx, number(parts, known))
  return known
}

/** Adds all events, or none and says `undefined` when one of their ids is taken. */
async function copyIfNew(tx: Tx, parts: readonly Part[]): Promise<Known[] | undefined> {
  const none = parts.map((): Known => new Map())
  try {
    await copyEvents(tx, number(parts, none), 'SAVEPOINT guess; ')
    return none
  } catch (error) {
    const refused = asStoreError(error, 'copy')
    if (!isKnownEvent(refused)) throw refused
    await tx.$client.query('ROLLBACK TO SAVEPOINT guess')
    return undefined
  }
}

/** Gives each new event its number. */
function number(parts: readonly Part[], known: readonly Known[]): Numbered[] {
  const numbered: Numbered[] = []
  for (const [at, { turn, head, firsts }] of parts.entries()) {
    let seq = head
    for (const [place, { event, receivedAt }] of firsts.entries()) {
      if (known[at]?.has(place)) continue
      seq += 1
      numbered.push({ topicId: turn.topicId, seq, event, receivedAt })
    }
  }
  return numbered
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
function cutAtConflicts(received: readonly Received[]): Chunk[] {
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
const hasSameContent = (a: Content, b: Content): boolean =>
  a.timestamp === b.timestamp && a.source === b.source && a.payload === b.payload

/**
 * Looks ids up. OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each
 * is one descent of the unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell
 * to a generic plan that stored 6,000 events a second where this one stores ten times as many.
 */
const findKnownText = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($1::integer[], $2::text[]) WITH ORDINALITY AS b (topic_id, event_id, at) CROSS JOIN LATERAL (
    SELECT l."timestamp", l.source, l.payload::text AS payload
    FROM events l WHERE l.topic_id = b.topic_id AND l.event_id = b.event_id
    OFFSET 0
  ) e`

async function findKnown(tx: Tx, parts: readonly Part[]): Promise<Known[]> {
  const all = parts.flatMap(({ turn, firsts }, at) =>
    firsts.map(({ event }, place) => ({ topicId: turn.topicId, event, at, place })),
  )
  const { rows } = await tx.$client.query<Content & { at: string }>({
    name: 'find_known',
    text: findKnownText,
    values: [
      `{${all.map(({ topicId }) => topicId).join(',')}}`,
      textArray(all.map(({ event }) => event.eventId)),
    ],
    types,
  })
  const known = parts.map(() => new Map<number, { same: boolean }>())
  for (const { at: row, ...stored } of rows) {
    const { at, place, event } = all[Number(row)] as (typeof all)[number]
    known[at]?.set(place, { same: hasSameContent({ ...stored, timestamp: utc(stored.timestamp) }, event) })
  }
  return known
}

/** Everything as PostgreSQL prints it: a Date would have no microseconds. */
const types = { getTypeParser: () => String }

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
