import type { EventId, Source, StoredEvent, TopicName } from '@sekali/core/event'
import { type SQL, sql } from 'drizzle-orm'
import { utc } from './time.ts'

/**
 * Bytes of payloads after which a page ends, whatever its limit. A thousand events of 256 KiB each would be 256 MiB
 * in the gateway's memory. A page always has one event.
 */
const pageBytesMax = 2 * 1024 * 1024

// Named as the type is spelled: `interface` would not satisfy execute<Record<string, unknown>>.
export type Row = {
  topic: string
  event_id: string
  timestamp: string
  source: string
  payload: string
  seq: string
  received_at: string
  stored_at: string
  more: boolean
}

/**
 * The events that `from` gives in that order, up to where their payloads fill a page. `from` is a query for columns of
 * the log and the name of the `topic`, which limits the number of rows by itself.
 *
 * PostgreSQL adds the sizes up, because it need not send what does not fit. The payload is text, because a parsed one
 * has no big numbers. `more` says whether an event follows among those of `from`.
 */
export const page = (from: SQL, order: SQL): SQL => sql`
  SELECT * FROM (
    SELECT topic, event_id, "timestamp", source, payload::text AS payload, seq, received_at, stored_at,
      row_number() OVER page AS at, lead(true, 1, false) OVER page AS more,
      coalesce(sum(octet_length(payload::text)) OVER (page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes
    FROM (${from}) e
    WINDOW page AS (ORDER BY ${order})
  ) page
  WHERE bytes < ${pageBytesMax}
  ORDER BY at`

export const toEvent = (row: Omit<Row, 'more'>): StoredEvent => ({
  topic: row.topic as TopicName,
  eventId: row.event_id as EventId,
  timestamp: utc(row.timestamp),
  source: row.source as Source,
  payload: row.payload,
  seq: Number(row.seq),
  receivedAt: utc(row.received_at),
  storedAt: utc(row.stored_at),
})
