/**
 * Finds events by pattern, source and time, a page at a time. Events of one topic come in the order of their seqs.
 * Several topics are merged by the time at which their events were stored, each in its own order: a clock that steps
 * back cannot make a reader skip anything.
 *
 * A page takes rounds. A round finds the next keys (seq and time, not payloads) of all scans that have run dry, in one
 * query; spans.ts tells which parts of a topic can be passed over. Each round looks at twice as many spans as the one
 * before, up to {@link roundsMax} rounds. So a page costs little when much matches, and a bounded amount when nothing
 * does; then it is short, or even empty, and its cursor says where to go on.
 */
import type { Cursor } from '@sekali/core/cursor'
import type { StoredEvent } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, topics } from '../postgres/schema.ts'
import type { Scope } from './bounds.ts'
import { eventOf, page, type Row } from './row.ts'
import { type Filter, findKeys, hasChanged, type Order } from './scan.ts'
import { type Key, openScans, type Scan } from './scope.ts'

export interface Search extends Filter, Scope {
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

/** Rejects like {@link openScans}. */
export async function searchEvents(store: Store, search: Search): Promise<Found> {
  const scans = await openScans(store, search)
  const picks = await pick(store, search, scans)
  const events = await readPicks(store, picks, search.bytesMax)
  const nextAfter = (taken: number) => nextBound(scans, picks.slice(taken), search.order)
  return { events, next: nextAfter(events.length), nextAfter }
}

/** Where to go on, if `left` is what was picked and not taken; undefined if there is nothing more. */
function nextBound(scans: readonly Scan[], left: readonly Picked[], order: Order): Cursor | undefined {
  const firstLeft = new Map(left.toReversed().map(({ scan, key }) => [scan, key]))
  const keyOf = (scan: Scan) => firstLeft.get(scan) ?? scan.keys[0]
  const unfinished = scans.filter((scan) => keyOf(scan) !== undefined || scan.low <= scan.high)
  if (unfinished.length === 0) return undefined
  // A topic that was read to its end stays in an ascending cursor: it may grow.
  return new Map(
    order === 'asc'
      ? scans.map((scan) => [scan.topicId, placeIn(scan, (keyOf(scan)?.seq ?? scan.low) - 1)])
      : unfinished.map((scan) => [scan.topicId, placeIn(scan, (keyOf(scan)?.seq ?? scan.high) + 1)]),
  )
}

const placeIn = ({ epoch }: Scan, seq: number) => ({ epoch, seq })

interface Picked {
  readonly scan: Scan
  readonly key: Key
}

/** Rounds of a page; the last one looks at 128 spans, or one of each scan. */
const roundsMax = 8

async function pick(store: Store, search: Search, scans: readonly Scan[]): Promise<Picked[]> {
  const picks: Picked[] = []
  let rounds = 0
  while (picks.length < search.limit) {
    const dry = scans.filter(({ keys, low, high }) => keys.length === 0 && low <= high)
    if (dry.length > 0) {
      // As long as one topic may have the event that comes next, nothing can be taken of the others.
      if (rounds === roundsMax) break
      const wanted = search.limit - picks.length
      await findKeys(store, search, search.order, dry, {
        keys: scans.length === 1 ? wanted + 1 : Math.ceil((2 * wanted) / dry.length) + spareKeys,
        spans: Math.ceil(2 ** rounds / dry.length),
      })
      rounds += 1
      continue
    }
    const next = nextOf(scans, search.order)
    const key = next?.keys.shift()
    if (next === undefined || key === undefined) break
    picks.push({ scan: next, key })
  }
  return picks
}

/** Keys beyond a topic's share of the page, so that busy topics do not run dry at once. */
const spareKeys = 16

function nextOf(scans: readonly Scan[], order: Order): Scan | undefined {
  let next: Scan | undefined
  for (const scan of scans) {
    if (scan.keys.length > 0 && (next === undefined || comesBefore(scan, next, order))) next = scan
  }
  return next
}

function comesBefore(a: Scan, b: Scan, order: Order): boolean {
  const [aTime = '', bTime = ''] = [a.keys[0]?.storedAt, b.keys[0]?.storedAt]
  if (aTime !== bTime) return order === 'asc' ? aTime < bTime : aTime > bTime
  return a.topic < b.topic
}

/**
 * The events of the picks, in their order, as many as fit into a page. Rejects with `StoreUnavailable` when PostgreSQL is in
 * an earlier state than when the picks were found.
 */
async function readPicks(
  store: Store,
  picks: readonly Picked[],
  bytesMax: number | undefined,
): Promise<StoredEvent[]> {
  if (picks.length === 0) return []
  const statement = page(
    sql`
      SELECT e.*, pick.topic, pick.epoch, pick.at
      FROM unnest(
        ${sql.param(picks.map(({ scan }) => scan.topicId))}::int[],
        ${sql.param(picks.map(({ scan }) => scan.epoch))}::int[],
        ${sql.param(picks.map(({ key }) => key.seq))}::bigint[],
        ${sql.param(picks.map(({ scan }) => scan.topic))}::text[]
      ) WITH ORDINALITY AS pick (topic_id, epoch, seq, topic, at)
      CROSS JOIN LATERAL (
        SELECT FROM ${topics} t WHERE t.id = pick.topic_id AND t.epoch = pick.epoch AND t.head >= pick.seq OFFSET 0
      ) still
      CROSS JOIN LATERAL (
        SELECT * FROM ${events} WHERE topic_id = pick.topic_id AND seq = pick.seq OFFSET 0
      ) e`,
    sql`at`,
    bytesMax,
  )
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  const found = rows.map(eventOf)
  const isOfPicks = found.every(
    ({ topic, seq }, at) => picks[at]?.key.seq === seq && picks[at].scan.topic === topic,
  )
  if (found.length === 0 || !isOfPicks) throw hasChanged()
  return found
}
