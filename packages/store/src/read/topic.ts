import type { StoredEvent } from '@sekali/core/event'
import type { EpochPlace } from '@sekali/core/fork'
import type { SQL } from 'drizzle-orm'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { eachRow } from '../postgres/each-row.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, topics } from '../postgres/schema.ts'
import { type Asked, forksColumn, forksIn, isGood, placeBefore, requireGood, requireUpTo } from './epochs.ts'
import { eventColumns, eventFrom, eventOf, page, pageBytesMax, type Row } from './row.ts'

export interface EventsQuery {
  readonly topic: string
  /** Events at most, at least 1. */
  readonly limit: number
  /** Only events with a greater seq, of a reader that has what is up to there in that epoch. */
  readonly after?: EpochPlace
  /** Only events with a smaller seq, of a reader that has what is from there on in that epoch. */
  readonly before?: EpochPlace
  /** Whether `before` is where the topic has ended once, so that it must have all up to there. */
  readonly isToTheEnd?: boolean
  /** Whether the topic must come as far as both: a standby that lags would pass over what it lacks. */
  readonly mustReach?: boolean
  /** Ascending when `after` is given and descending otherwise, unless said. */
  readonly order?: 'asc' | 'desc'
  /** Bytes of payloads at most; one event comes whatever its size. */
  readonly bytesMax?: number
}

export interface EventsPage<T = StoredEvent> {
  /** At most as many as asked for, and fewer when their payloads are large. */
  readonly events: T[]
  /** Whether events follow on this page. */
  readonly more: boolean
}

/**
 * A page of a topic. Because seqs have no gap and become visible in their order, whoever has read up to a seq
 * has everything up to it. Each event is made into something else as it arrives, if `as` is given, so that
 * the page need not be held in pieces. Behind the end of the topic there is nothing yet. Rejects with
 * `StoreUnavailable`, or like {@link requireGood}.
 */
export async function readTopic<T = StoredEvent>(
  store: Store,
  query: EventsQuery,
  as: (event: StoredEvent) => T = (event) => event as T,
): Promise<EventsPage<T>> {
  const { topic, limit, bytesMax } = query
  const compressed = compressedOf(store)
  const whole = compressed.has(topic) ? undefined : await readWhole(store, query, as)
  if (whole !== undefined) return whole
  const { events, more } = await readPage(store, page(ofTopic(query), bySeq(query), bytesMax), limit)
  // Why there are none the range tells: a bound may be of what a restore has taken away.
  if (events.length === 0) return (await readWhole(store, query, as)) ?? { events: [], more }
  if (events.every(({ payload }) => payload.length <= smallCharsMax)) compressed.delete(topic)
  return { events: events.map(as), more }
}

/**
 * Payloads up to here are hardly ever compressed: PostgreSQL tries with rows from 2 kB on. If a topic has compressed
 * payloads the cheap size check proves nothing, and it took a fifth of the time of a page of 3 kB events. So it is skipped
 * for such a topic, until a page has small payloads alone.
 */
const smallCharsMax = 1_000

/** Topics of which a page had compressed events. */
const compressed = new WeakMap<Store, Set<string>>()

export function compressedOf(store: Store): Set<string> {
  const known = compressed.get(store) ?? new Set<string>()
  compressed.set(store, known)
  return known
}

/** A page that surely fits; undefined when it may not. */
async function readWhole<T>(
  store: Store,
  query: EventsQuery,
  as: (event: StoredEvent) => T,
): Promise<EventsPage<T> | undefined> {
  const { topic, limit } = query
  const events: T[] = []
  let epoch: number | undefined
  let [isPlain, fits] = [true, true]
  let more = false
  await eachRow(store, 'read of events', wholeRange(query), (row) => {
    const [plain, small, head, itsEpoch, forks] = row
    if (epoch === undefined) {
      epoch = Number(itsEpoch)
      const asked = {
        id: 0,
        name: topic,
        head: Number(head),
        epoch,
        forks: forksIn(JSON.parse(forks ?? 'null')),
      }
      requireReadable(query, asked)
    }
    isPlain = plain === 't'
    fits = isPlain && small === 't'
    more = events.length === limit
    const event = more ? undefined : eventFrom(topic, epoch, row, 5)
    if (event !== undefined) events.push(as(event))
  })
  if (epoch === undefined) requireReadable(query)
  if (!isPlain) compressedOf(store).add(topic)
  return fits ? { events, more } : undefined
}

function requireReadable(query: EventsQuery, asked?: Asked): void {
  const { after, before } = query
  const topics = asked === undefined ? [] : [asked]
  if (after !== undefined) requireGood(after, topics, false)
  if (before !== undefined) requireGood(before, topics, true)
  requireUpTo(seqToReach(query), asked?.head ?? 0)
}

/** The seq that the topic must have come to. */
function seqToReach({ after, before, isToTheEnd = false, mustReach = false }: EventsQuery): number {
  const last = before === undefined ? 0 : before.seq - 1
  return Math.max(isToTheEnd || mustReach ? last : 0, mustReach ? (after?.seq ?? 0) : 0)
}

/** The newest events of all topics, newest first, as many as fit a page. Rejects with `StoreUnavailable`. */
export const readNewest = async (store: Store, limit: number): Promise<StoredEvent[]> =>
  (await readPage(store, newestOfAll(limit), limit)).events

async function readPage(store: Store, statement: SQL, limit: number): Promise<EventsPage> {
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  const shown = rows.slice(0, limit)
  return { events: shown.map(eventOf), more: shown.at(-1)?.more ?? false }
}

const isAscending = ({ order, after }: EventsQuery): boolean =>
  (order ?? (after === undefined ? 'desc' : 'asc')) === 'asc'

const bySeq = (query: EventsQuery): SQL => (isAscending(query) ? sql`seq ASC` : sql`seq DESC`)

/**
 * Because seqs have no gap, a page is a range of them, and is asked for as one: for `seq > after … LIMIT` PostgreSQL
 * has to guess how many there are, and for a topic of some ten thousand events it read and sorted all of them.
 */
function isInRange(query: EventsQuery): SQL {
  const { limit, before } = query
  const after = query.after?.seq ?? 0
  const last = before === undefined ? sql`t.head` : sql`least(t.head, ${before.seq - 1}::bigint)`
  // One row more than asked for tells whether there is another page.
  const [from, to] = isAscending(query)
    ? [sql`${after + 1}::bigint`, sql`least(${last}, ${after + 1 + limit}::bigint)`]
    : [sql`greatest(${after + 1}::bigint, ${last} - ${limit}::bigint)`, last]
  return sql`e.topic_id = t.id AND e.seq BETWEEN ${from} AND ${to}`
}

const ofTopic = (query: EventsQuery): SQL => sql`
  SELECT e.*, t.name AS topic, t.epoch FROM ${topics} t JOIN ${events} e ON ${isInRange(query)}
  WHERE t.name = ${query.topic} AND ${isReadable(query)}`

/** What {@link requireReadable} finds nothing wrong with. */
function isReadable(query: EventsQuery): SQL {
  const { after, before } = query
  const good = isGood([after, before && placeBefore(before)])
  const seq = seqToReach(query)
  return seq > 0 ? sql`${good} AND t.head >= ${seq}::bigint` : good
}

/**
 * The range as a whole if it surely fits, and otherwise a row without an event: whether nothing of the range is compressed,
 * whether it is small; the topic's head, its epoch and forks. Nearly every page fits, and to
 * add sizes up event by event (see row.ts) costs PostgreSQL half as much again as to read it. What is
 * compressed may be of any size.
 */
const wholeRange = (query: EventsQuery): SQL => sql`
  SELECT whole.plain, whole.small, t.head, t.epoch, ${forksColumn}, ${eventColumns}
  FROM ${topics} t
  CROSS JOIN LATERAL (
    SELECT coalesce(bool_and(pg_column_compression(payload) IS NULL), true) AS plain,
      coalesce(sum(pg_column_size(payload)) < ${query.bytesMax ?? pageBytesMax}, true) AS small
    FROM ${events} e WHERE ${isInRange(query)} OFFSET 0
  ) whole
  LEFT JOIN ${events} e ON whole.plain AND whole.small AND ${isInRange(query)}
  WHERE t.name = ${query.topic}
  ORDER BY e.${bySeq(query)}`

const newestFirst = sql`stored_at DESC, topic, seq DESC`

/**
 * The newest of all topics by the time they were stored. The newest `limit` events can only be in the `limit` topics
 * whose last event is newest, and there only among the last `limit` of each, so the primary key serves it all.
 */
const newestOfAll = (limit: number): SQL =>
  page(
    sql`
      SELECT e.*, t.topic, t.epoch
      FROM (
        SELECT t.id, t.name AS topic, t.head, t.epoch
        FROM ${topics} t
        CROSS JOIN LATERAL (
          SELECT l.stored_at FROM ${events} l WHERE l.topic_id = t.id AND l.seq = t.head OFFSET 0
        ) newest
        ORDER BY newest.stored_at DESC
        LIMIT ${limit + 1}
      ) t
      CROSS JOIN LATERAL (
        SELECT * FROM ${events} l WHERE l.topic_id = t.id AND l.seq BETWEEN t.head - ${limit}::bigint AND t.head OFFSET 0
      ) e
      ORDER BY ${newestFirst}
      LIMIT ${limit + 1}`,
    newestFirst,
  )
