import type { StoredEvent } from '@sekali/core/event'
import { type SQL, sql } from 'drizzle-orm'
import type { Store } from './connect.ts'
import { asStoreError } from './errors.ts'
import { page, type Row, toEvent } from './row.ts'
import { events, topics } from './schema.ts'

export interface EventsQuery {
  readonly topic?: string
  /** Events at most, at least 1. */
  readonly limit: number
  /** Only events with a greater seq. Needs `topic`. */
  readonly after?: number
  /** Only events with a smaller seq. Needs `topic`. */
  readonly before?: number
  /** Ascending when `after` is given and descending otherwise, unless said. Without a topic it is the newest first. */
  readonly order?: 'asc' | 'desc'
  /** Bytes of payloads at most; one event comes whatever its size. */
  readonly bytesMax?: number
}

export interface EventsPage {
  /** At most as many as asked for, and fewer when their payloads are large. */
  readonly events: StoredEvent[]
  /** Whether events follow on this page. */
  readonly more: boolean
}

/**
 * A page of a topic, or the newest events of all topics. Because seqs have no gap and become visible in their order,
 * whoever has read up to a seq has everything up to it. Rejects with `StoreUnavailable`.
 */
export async function readEvents(store: Store, query: EventsQuery): Promise<EventsPage> {
  const { topic, limit } = query
  const ascending = (query.order ?? (query.after === undefined ? 'desc' : 'asc')) === 'asc'
  const statement = topic === undefined ? newestOfAll(limit) : ofTopic({ ...query, topic }, ascending)
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  const shown = rows.slice(0, limit)
  return { events: shown.map(toEvent), more: shown.at(-1)?.more ?? false }
}

/**
 * Because seqs have no gap, a page is a range of them, and is asked for as one: for `seq > after … LIMIT` PostgreSQL
 * has to guess how many there are, and for a topic of some ten thousand events it read and sorted all of them.
 */
function ofTopic(
  { topic, limit, after = 0, before, bytesMax }: EventsQuery & { topic: string },
  ascending: boolean,
): SQL {
  const bySeq = ascending ? sql`seq ASC` : sql`seq DESC`
  const last = before === undefined ? sql`t.head` : sql`least(t.head, ${before - 1}::bigint)`
  // One row more than asked for tells whether there is another page.
  const [from, to] = ascending
    ? [sql`${after + 1}::bigint`, sql`least(${last}, ${after + 1 + limit}::bigint)`]
    : [sql`greatest(${after + 1}::bigint, ${last} - ${limit}::bigint)`, last]
  return page(
    sql`
      SELECT e.*, t.name AS topic FROM ${topics} t
      JOIN ${events} e ON e.topic_id = t.id AND e.seq BETWEEN ${from} AND ${to}
      WHERE t.name = ${topic}`,
    bySeq,
    bytesMax,
  )
}

const newestFirst = sql`stored_at DESC, topic, seq DESC`

/**
 * The newest of all topics by the time they were stored. The newest `limit` events can only be in the `limit` topics
 * whose last event is newest, and there only among the last `limit` of each, so the primary key serves it all.
 */
const newestOfAll = (limit: number): SQL =>
  page(
    sql`
      SELECT e.*, t.topic
      FROM (
        SELECT t.id, t.name AS topic, t.head
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
