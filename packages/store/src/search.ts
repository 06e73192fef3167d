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
import { TooManyTopics } from '@sekali/core/errors'
import type { StoredEvent } from '@sekali/core/event'
import { limits } from '@sekali/core/limits'
import type { TopicPattern } from '@sekali/core/pattern'
import { type SQL, sql } from 'drizzle-orm'
import type { Store } from './connect.ts'
import { asStoreError } from './errors.ts'
import { page, type Row, toEvent } from './row.ts'
import { events, spans, topics } from './schema.ts'
import { spanBits, spanEvents } from './spans.ts'
import { utc } from './time.ts'

export interface Filter {
  readonly source?: string
  /** From this time on, and before that one; which of an event's times is meant. */
  readonly from?: string
  readonly to?: string
  readonly by?: 'timestamp' | 'received_at'
}

export interface Search extends Filter {
  readonly topics: TopicPattern
  readonly order: 'asc' | 'desc'
  /** Events at most, at least 1. */
  readonly limit: number
  /**
   * Only events after, and before, these places. A topic that is missing in `after` is read from its beginning; one
   * that is missing in `before` is left out if that is by id, because it is younger than the cursor. Names are a
   * client's own: one that it does not name is read to its end.
   */
  readonly after?: Place
  readonly before?: Place
}

/** A seq, for what is one topic; or a seq for each topic, by its id or its name. */
export type Place = number | Cursor | ReadonlyMap<string, number>

export interface Found {
  readonly events: StoredEvent[]
  /** What to give as `after`, or as `before` when descending, to go on; undefined at the end. */
  readonly next: Cursor | undefined
}

/** What is left of a topic: the seqs from `low` to `high` have not been looked at, `keys` are found and not taken. */
interface Lane {
  readonly topicId: number
  readonly topic: string
  low: number
  high: number
  keys: Key[]
}

interface Key {
  readonly seq: number
  readonly storedAt: string
}

/** Rejects with `TooManyTopics`, or `StoreUnavailable`. */
export async function searchEvents(store: Store, search: Search): Promise<Found> {
  const ascending = search.order === 'asc'
  const lanes = await openLanes(store, search)
  const picks = await pick(store, search, lanes)
  const events = await readPicks(store, picks)
  // What did not fit into the page goes back to where it came from.
  for (const { lane, key } of picks.slice(events.length).reverse()) lane.keys.unshift(key)
  const unfinished = lanes.filter(({ keys, low, high }) => keys.length > 0 || low <= high)
  if (unfinished.length === 0) return { events, next: undefined }
  // A topic that has come to its end still has its place in an ascending cursor: it may grow.
  const next = (ascending ? lanes : unfinished).map(({ topicId, keys: [key], low, high }) =>
    ascending ? ([topicId, (key?.seq ?? low) - 1] as const) : ([topicId, (key?.seq ?? high) + 1] as const),
  )
  return { events, next: new Map(next) }
}

/**
 * Where the topics of a pattern end at this moment, or at `before` if that comes first: the seq that their next events
 * will have, by their ids. Rejects with `TooManyTopics`, or `StoreUnavailable`.
 */
export async function readEnds(store: Store, topics: TopicPattern, before?: Place): Promise<Cursor> {
  const lanes = await openLanes(store, { topics, ...(before === undefined ? {} : { before }) })
  return new Map(lanes.map(({ topicId, high }) => [topicId, high + 1]))
}

async function openLanes(
  store: Store,
  { topics: pattern, after, before }: Pick<Search, 'topics' | 'after' | 'before'>,
): Promise<Lane[]> {
  const named = pattern.isPattern ? sql`name ~ ${pattern.regExp.source}` : sql`name = ${pattern.text}`
  const { rows } = await store.db
    .execute<{ id: number; name: string; head: string }>(
      sql`SELECT id, name, head FROM ${topics} WHERE ${named} LIMIT ${limits.patternTopicsMax + 1}`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'search of topics')
    })
  if (rows.length > limits.patternTopicsMax) {
    throw new TooManyTopics(`the pattern matches more than ${limits.patternTopicsMax} topics`)
  }
  const isByName = typeof before === 'object' && typeof before.keys().next().value === 'string'
  const unnamed = isByName ? Infinity : 0
  return rows.map(({ id, name, head }) => ({
    topicId: id,
    topic: name,
    low: (placeIn(after, id, name) ?? 0) + 1,
    // What is committed after this moment is for the next page.
    high: Math.min(
      Number(head),
      before === undefined ? Infinity : (placeIn(before, id, name) ?? unnamed) - 1,
    ),
    keys: [],
  }))
}

function placeIn(place: Place | undefined, topicId: number, topic: string): number | undefined {
  if (typeof place !== 'object') return place
  const places: ReadonlyMap<number | string, number> = place
  return places.get(topicId) ?? places.get(topic)
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
      await look(store, search, dry, {
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

function nextOf(lanes: readonly Lane[], order: Search['order']): Lane | undefined {
  let next: Lane | undefined
  for (const lane of lanes) {
    if (lane.keys.length > 0 && (next === undefined || comesBefore(lane, next, order))) next = lane
  }
  return next
}

function comesBefore(a: Lane, b: Lane, order: Search['order']): boolean {
  const [aTime = '', bTime = ''] = [a.keys[0]?.storedAt, b.keys[0]?.storedAt]
  if (aTime !== bTime) return order === 'asc' ? aTime < bTime : aTime > bTime
  return a.topic < b.topic
}

/** How far one round goes in each lane. */
interface Reach {
  readonly keys: number
  readonly spans: number
}

// A type and not an interface, because execute() asks for an index signature.
type LookRow = { lane: string; last_span: number | null; seq: string | null; stored_at: string | null }

/** Finds the next keys of lanes that have none, and moves their bounds past what has been looked at. */
async function look(store: Store, search: Search, dry: readonly Lane[], reach: Reach): Promise<void> {
  const { rows } = await store.db.execute<LookRow>(keysOf(search, dry, reach)).catch((error: unknown) => {
    throw asStoreError(error, 'search of events')
  })
  const lastSpans = new Map<Lane, number>()
  for (const { lane: index, last_span, seq, stored_at } of rows) {
    const lane = dry[Number(index) - 1] as Lane
    if (last_span !== null) lastSpans.set(lane, last_span)
    if (seq !== null && stored_at !== null) lane.keys.push({ seq: Number(seq), storedAt: utc(stored_at) })
  }
  for (const lane of dry) {
    const lastKey = lane.keys.length === reach.keys ? lane.keys.at(-1)?.seq : undefined
    const span = lastSpans.get(lane)
    if (search.order === 'asc') {
      lane.low = (lastKey ?? (span === undefined ? lane.high : Math.min(lane.high, lastSeqOf(span)))) + 1
    } else {
      lane.high = (lastKey ?? (span === undefined ? lane.low : Math.max(lane.low, firstSeqOf(span)))) - 1
    }
  }
}

const firstSeqOf = (span: number): number => span * spanEvents
const lastSeqOf = (span: number): number => firstSeqOf(span + 1) - 1

/**
 * A row for each key, and one without a key for a lane that has none. `last_span` is the last span that was looked
 * at, if there are more.
 */
function keysOf(search: Search, dry: readonly Lane[], reach: Reach): SQL {
  const direction = sql.raw(search.order === 'asc' ? 'ASC' : 'DESC')
  const ofLane = sql`topic_id = lane.topic_id AND seq BETWEEN lane.low AND lane.high`
  const lanes = sql`unnest(
    ${sql.param(dry.map(({ topicId }) => topicId))}::int[],
    ${sql.param(dry.map(({ low }) => low))}::bigint[],
    ${sql.param(dry.map(({ high }) => high))}::bigint[]
  ) WITH ORDINALITY AS lane (topic_id, low, high, at)`
  const { inSpan, inEvent } = conditionsOf(search)
  if (inEvent === undefined) {
    // Seqs have no gap: so many of them are so many events.
    const range =
      search.order === 'asc'
        ? sql`lane.low AND least(lane.high, lane.low + ${reach.keys - 1}::bigint)`
        : sql`greatest(lane.low, lane.high - ${reach.keys - 1}::bigint) AND lane.high`
    return sql`
      SELECT lane.at AS lane, NULL::int AS last_span, e.seq, e.stored_at
      FROM ${lanes}
      CROSS JOIN LATERAL (
        SELECT seq, stored_at FROM ${events} WHERE topic_id = lane.topic_id AND seq BETWEEN ${range}
      ) e
      ORDER BY lane.at, e.seq ${direction}`
  }
  const firstSpan = sql`(lane.low >> ${spanBits})::int`
  const lastSpan = sql`(lane.high >> ${spanBits})::int`
  // Spans without a row may hold anything.
  const unwritten = sql`greatest(${firstSpan}, 1 + coalesce(
    (SELECT span FROM ${spans} WHERE topic_id = lane.topic_id ORDER BY span DESC LIMIT 1), -1))`
  const series =
    search.order === 'asc'
      ? sql`generate_series(${unwritten}, ${lastSpan})`
      : sql`generate_series(${lastSpan}, ${unwritten}, -1)`
  return sql`
    SELECT lane.at AS lane, looked.last_span, e.seq, e.stored_at
    FROM ${lanes}
    CROSS JOIN LATERAL (
      SELECT array_agg(span) AS spans,
        CASE WHEN count(*) = ${reach.spans} THEN ${search.order === 'asc' ? sql`max(span)` : sql`min(span)`} END AS last_span
      FROM (
        (SELECT span FROM ${spans}
          WHERE topic_id = lane.topic_id AND span BETWEEN ${firstSpan} AND ${lastSpan} AND ${inSpan}
          ORDER BY span ${direction} LIMIT ${reach.spans})
        UNION ALL
        (SELECT span FROM ${series} AS span LIMIT ${reach.spans})
        ORDER BY span ${direction} LIMIT ${reach.spans}
      ) may_match
    ) looked
    LEFT JOIN LATERAL (
      SELECT found.seq, found.stored_at
      FROM unnest(looked.spans) AS span
      CROSS JOIN LATERAL (
        SELECT seq, stored_at FROM ${events}
        WHERE ${ofLane} AND ${inEvent}
          AND seq BETWEEN span::bigint << ${spanBits} AND ((span + 1)::bigint << ${spanBits}) - 1
        OFFSET 0
      ) found
      ORDER BY found.seq ${direction} LIMIT ${reach.keys}
    ) e ON true
    ORDER BY lane.at, e.seq ${direction}`
}

/** What a search asks of an event, and of a span that may hold such an event; undefined if it takes all. */
function conditionsOf({ source, from, to, by = 'timestamp' }: Filter) {
  const time = sql.raw(by === 'timestamp' ? '"timestamp"' : 'received_at')
  const inEvent: SQL[] = []
  const inSpan: SQL[] = []
  if (source !== undefined) {
    inEvent.push(sql`source = ${source}`)
    inSpan.push(sql`(sources IS NULL OR ${source} = ANY (sources))`)
  }
  if (from !== undefined) inEvent.push(sql`${time} >= ${from}::timestamptz`)
  if (to !== undefined) inEvent.push(sql`${time} < ${to}::timestamptz`)
  if (from !== undefined || to !== undefined) {
    inSpan.push(sql`${time} && tstzrange(${from ?? null}::timestamptz, ${to ?? null}::timestamptz)`)
  }
  const and = (conditions: SQL[]) => sql.join(conditions, sql` AND `)
  return { inEvent: inEvent.length === 0 ? undefined : and(inEvent), inSpan: and(inSpan) }
}

/** The events of the picks, in their order, as many as fit into a page. */
async function readPicks(store: Store, picks: readonly Picked[]): Promise<StoredEvent[]> {
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
  )
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  return rows.map(toEvent)
}
