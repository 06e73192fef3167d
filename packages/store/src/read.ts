import type { EventId, Source, StoredEvent, TopicName } from '@sekali/core/event'
import { type SQL, sql } from 'drizzle-orm'
import type { Store } from './connect.ts'
import { asStoreError } from './errors.ts'
import { events, topics } from './schema.ts'
import { utc } from './time.ts'

export interface EventsQuery {
  readonly topic?: string
  /** Events at most, at least 1. */
  readonly limit: number
  /** Only events with a greater seq, ascending. Needs `topic`. */
  readonly after?: number
  /** Only events with a smaller seq, newest first. Needs `topic`. */
  readonly before?: number
}

export interface EventsPage {
  readonly events: StoredEvent[]
  /** Whether events follow on this page. */
  readonly more: boolean
}

/**
 * A page of the log: ascending from `after`, otherwise newest first. Because seqs have no gap and become visible in
 * their order, whoever has read up to a seq has everything up to it. Rejects with `StoreUnavailable`.
 */
export async function readEvents(store: Store, query: EventsQuery): Promise<EventsPage> {
  // One row more than asked for tells whether there is another page.
  const page = { ...query, limit: query.limit + 1 }
  const statement =
    query.topic === undefined ? newestOfAll(page.limit) : ofTopic({ ...page, topic: query.topic })
  const { rows } = await store.db.execute<Row>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'read of events')
  })
  return { events: rows.slice(0, query.limit).map(toEvent), more: rows.length > query.limit }
}

// Named as the type is spelled: `interface` would not satisfy execute<Record<string, unknown>>.
type Row = {
  topic: string
  event_id: string
  timestamp: string
  source: string
  payload: string
  seq: string
  received_at: string
  stored_at: string
}

const toEvent = (row: Row): StoredEvent => ({
  topic: row.topic as TopicName,
  eventId: row.event_id as EventId,
  timestamp: utc(row.timestamp),
  source: row.source as Source,
  payload: row.payload,
  seq: Number(row.seq),
  receivedAt: utc(row.received_at),
  storedAt: utc(row.stored_at),
})

// The payload as text, because a parsed one has no big numbers. Times come as PostgreSQL prints them.
const columns = sql`t.name AS topic, e.event_id, e."timestamp", e.source, e.payload::text AS payload, e.seq,
  e.received_at, e.stored_at`

function ofTopic({ topic, limit, after, before }: EventsQuery & { topic: string }): SQL {
  const range =
    after !== undefined
      ? sql`AND e.seq > ${after}`
      : before !== undefined
        ? sql`AND e.seq < ${before}`
        : sql``
  const order = after !== undefined ? sql`ASC` : sql`DESC`
  return sql`
    SELECT ${columns}
    FROM ${events} e CROSS JOIN (SELECT id, name FROM ${topics} WHERE name = ${topic}) t
    WHERE e.topic_id = (SELECT id FROM ${topics} WHERE name = ${topic}) ${range}
    ORDER BY e.seq ${order}
    LIMIT ${limit}`
}

/**
 * The newest of all topics by the time they were stored. The newest `limit` events can only be in the `limit` topics
 * whose last event is newest, and there only among the last `limit` of each, so the primary key serves it all.
 */
const newestOfAll = (limit: number): SQL => sql`
  SELECT ${columns}
  FROM (
    SELECT t.id, t.name
    FROM ${topics} t
    CROSS JOIN LATERAL (
      SELECT l.stored_at FROM ${events} l WHERE l.topic_id = t.id ORDER BY l.seq DESC LIMIT 1
    ) newest
    ORDER BY newest.stored_at DESC
    LIMIT ${limit}
  ) t
  CROSS JOIN LATERAL (
    SELECT * FROM ${events} l WHERE l.topic_id = t.id ORDER BY l.seq DESC LIMIT ${limit}
  ) e
  ORDER BY e.stored_at DESC, t.name, e.seq DESC
  LIMIT ${limit}`
