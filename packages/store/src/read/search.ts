/**
 * Finds events by pattern, source and time, a page at a time, in the order of their seqs; of several topics in the
 * order in which they were stored, but never against the order of a topic's seqs: the topics are merged like the
 * lanes of a road, each in its own order, so that a clock that steps back cannot make a reader skip anything.
 *
 * It works in rounds. A round looks for the next keys (seq and time, not payloads) of all the lanes that have run dry,
 * in one query; spans.ts tells which parts of a topic can be passed over. Each round of a page looks at twice as many
 * spans as the one before, and there are only so many: so a page costs little when much matches, and a bounded amount
 * when nothing does. Then it is short, or even empty, and the cursor says where to go on.
 */
import type { Cursor } from '@sekali/core/cursor'
import type { StoredEvent } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events } from '../postgres/schema.ts'
import { page, type Row, toEvent } from './row.ts'
import { type Filter, look, type Order } from './scan.ts'
import { type Key, type Lane, openLanes, type Stretch } from './scope.ts'

export interface Search extends Filter, Stretch {
  readonly order: Order
  /** Events at most, at least 1. */
  readonly limit: number
  /** Bytes of payloads at most; one event comes whatever its size. */
  readonly bytesMax?: number
}

export interface Found {
  readonly events: StoredEvent[]
  /** What to give as `after`, or as `before` when descending, to go on; undefined at the end. */
  readonly next: Cursor | undefined
  /** The same behind only the first `taken` of the events. */
  nextAfter(taken: number): Cursor | undefined
}

/** Rejects like {@link openLanes}. */
export async function searchEvents(store: Store, search: Search): Promise<Found> {
  const lanes = await openLanes(store, search)
  const picks = await pick(store, search, lanes)
  const events = await readPicks(store, picks, search.bytesMax)
  const nextAfter = (taken: number) => placeOf(lanes, picks.slice(taken), search.order)
  return { events, next: nextAfter(events.length), nextAfter }
}

/** Where to go on, if `left` is what was picked and not taken; undefined if there is nothing more. */
function placeOf(lanes: readonly Lane[], left: readonly Picked[], order: Order): Cursor | undefined {
  const firstLeft = new Map(left.toReversed().map(({ lane, key }) => [lane, key]))
  const keyOf = (lane: Lane) => firstLeft.get(lane) ?? lane.keys[0]
  const unfinished = lanes.filter((lane) => keyOf(lane) !== undefined || lane.low <= lane.high)
  if (unfinished.length === 0) return undefined
  // A topic that has come to its end still has its place in an ascending cursor: it may grow.
  return new Map(
    order === 'asc'
      ? lanes.map((lane) => [lane.topicId, (keyOf(lane)?.seq ?? lane.low) - 1])
      : unfinished.map((lane) => [lane.topicId, (keyOf(lane)?.seq ?? lane.high) + 1]),
  )
}

interface Picked {
  readonly lane: Lane
  readonly key: Key
}

/** Rounds of a page; the last one looks at 128 spans, or one of each lane. */
const roundsMax = 8

async function pick(store: Store, search: Search, lanes: readonly Lane[]): Promise<Picked[]> {
  const picks: Picked[] = []
  let rounds = 0
  while (picks.length < search.limit) {
    const dry = lanes.filter(({ keys, low, high }) => keys.length === 0 && low <= high)
    if (dry.length > 0) {
      // As long as a lane may still have the event that comes next, none can be taken of the others.
      if (rounds === roundsMax) break
      const wanted = search.limit - picks.length
      await look(store, search, search.order, dry, {
        keys: lanes.length === 1 ? wanted + 1 : Math.ceil((2 * wanted) / dry.length) + spareKeys,
        spans: Math.ceil(2 ** rounds / dry.length),
      })
      rounds += 1
      continue
    }
    const next = nextOf(lanes, search.order)
    const key = next?.keys.shift()
    if (next === undefined || key === undefined) break
    picks.push({ lane: next, key })
  }
  return picks
}

/** What a lane is given beyond its share, so that the busier ones do not run dry at once. */
const spareKeys = 16

function nextOf(lanes: readonly Lane[], order: Order): Lane | undefined {
  let next: Lane | undefined
  for (const lane of lanes) {
    if (lane.keys.length > 0 && (next === undefined || comesBefore(lane, next, order))) next = lane
  }
  return next
}

function comesBefore(a: Lane, b: Lane, order: Order): boolean {
  const [aTime = '', bTime = ''] = [a.keys[0]?.storedAt, b.keys[0]?.storedAt]
  if (aTime !== bTime) return order === 'asc' ? aTime < bTime : aTime > bTime
  return a.topic < b.topic
}

/** The events of the picks, in their order, as many as fit into a page. */
async function readPicks(
  store: Store,
  picks: readonly Picked[],
  bytesMax: number | undefined,
): Promise<StoredEvent[]> {
  if (picks.length === 0) return []
  const statement = page(
    sql`
      SELECT e.*, pick.topic, pick.at
      FROM unnest(
        ${sql.param(picks.map(({ lane }) => lane.topicId))}::int[],
        ${sql.param(picks.map(({ key }) => key.seq))}::bigint[],
        ${sql.param(picks.map(({ lane }) => lane.topic))}::text[]
      ) WITH ORDINALITY AS pick (topic_id, seq, topic, at)
      CROSS JOIN LATERAL (
        SELECT * FROM ${events} WHERE topic_id = pick.topic_id AND seq = pick.seq OFFSET 0
      ) e`,
    sql`at`,
    bytesMax,
  )
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  return rows.map(toEvent)
}
