import type { EventId, Source, StoredEvent, TopicName } from '@sekali/core/event'
import type { SQL } from 'drizzle-orm'
import { sql } from '../postgres/drizzle.ts'
import { utc } from '../postgres/time.ts'

/**
 * Bytes of payloads after which a page ends, whatever its limit. A thousand events of 256 KiB each would be 256 MiB
 * in the gateway's memory. A page always has one event.
 */
export const pageBytesMax = 2 * 1024 * 1024

/** An event but for its topic, as PostgreSQL prints it. */
// Named as the types are spelled: `interface` would not satisfy execute<Record<string, unknown>>.
export type EventRow = {
  event_id: string
  timestamp: string
  source: string
  payload: string
  seq: string
  received_at: string
  stored_at: string
}

/** A row of a {@link page}. */
export type Row = EventRow & { topic_id: number; topic: string; epoch: number; more: boolean }

const columnsOf = (payload: string): SQL =>
  sql.raw(`e.event_id, e."timestamp", e.source, ${payload} AS payload, e.seq, e.received_at, e.stored_at`)

/** The columns of an {@link EventRow}, of the log as `e`. */
export const eventColumns = columnsOf('e.payload::text')

/**
 * The events that `from` gives in that order, up to where their payloads fill a page. `from` is a query for columns of
 * the log, the name of the `topic` and the `epoch` of its log, which limits the number of rows by itself; `order` names columns of it. The
 * first event comes whatever its size.
 *
 * PostgreSQL adds the sizes up, because it need not send what does not fit. First as they are on disk: that size is
 * known without reading the payload, which may lie in a place of its own and be compressed. Only what fits then is
 * read, and added up as it is sent. The payload is text, because a parsed one has no big numbers. `more` says whether
 * an event follows among those of `from`.
 */
export const page = (from: SQL, order: SQL, bytesMax = pageBytesMax): SQL => {
  const before = sql.raw('OVER (page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)')
  return sql`
  SELECT topic_id, topic, epoch, ${columnsOf('text')}, more
  FROM (
    SELECT *, sum(octet_length(text)) ${before} AS bytes
    FROM (
      SELECT *, payload::text AS text
      FROM (
        SELECT *, lead(true, 1, false) OVER page AS more, sum(pg_column_size(payload)) ${before} AS disk_bytes
        FROM (${from}) e
        WINDOW page AS (ORDER BY ${order})
      ) e
      WHERE disk_bytes IS NULL OR disk_bytes < ${bytesMax}
      OFFSET 0 -- each payload is read once, and none that does not fit
    ) e
    WINDOW page AS (ORDER BY ${order})
  ) e
  WHERE bytes IS NULL OR bytes < ${bytesMax}
  ORDER BY ${order}`
}

/** The event of a row, read in that epoch of its topic's log. */
export function toEvent(topic: string, row: EventRow, epoch: number): StoredEvent {
  const event = {
    topic: topic as TopicName,
    eventId: row.event_id as EventId,
    timestamp: utc(row.timestamp),
    source: row.source as Source,
    payload: row.payload,
    seq: Number(row.seq),
    receivedAt: utc(row.received_at),
    storedAt: utc(row.stored_at),
  }
  return epoch === 1 ? event : { ...event, epoch }
}

/** The event of a row of a {@link page}. */
export const eventOf = (row: Row): StoredEvent => toEvent(row.topic, row, row.epoch)

/** The event of a row's values from `at` on, in the order of {@link eventColumns}; undefined where an outer join has none. */
export function eventFrom(
  topic: string,
  epoch: number,
  values: readonly (string | null)[],
  at: number,
): StoredEvent | undefined {
  const [event_id, timestamp, source, payload, seq, received_at, stored_at] = values.slice(at)
  if (event_id === null) return undefined
  const row = { event_id, timestamp, source, payload, seq, received_at, stored_at } as EventRow
  return toEvent(topic, row, epoch)
}
