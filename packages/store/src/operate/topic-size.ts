import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, topics } from '../postgres/schema.ts'

export interface TopicSize {
  /** Stored. */
  readonly events: number
  /** About how many bytes they take in PostgreSQL, indexes included: the mean of the newest, times their number. */
  readonly bytes: number
}

const newest = 256
/**
 * Of a row, beside its texts: header and line pointer 28, numbers and times 36, its share of the two indexes and of the
 * rooms that are left in pages some 120. https://www.postgresql.org/docs/current/storage-page-layout.html
 */
const overheadBytes = 184

/** How large a topic is; undefined when there is none of that name. A look at its newest events. Rejects with `StoreUnavailable`. */
export async function readTopicSize(store: Store, topic: TopicName): Promise<TopicSize | undefined> {
  const { rows } = await store.db
    .execute<{ head: string; mean: string }>(sql`
      SELECT t.head, (
        SELECT coalesce(avg(${overheadBytes}::integer + pg_column_size(e.event_id) + pg_column_size(e.source)
          + pg_column_size(e.payload)), 0)
        FROM ${events} e WHERE e.topic_id = t.id AND e.seq BETWEEN t.head - ${newest - 1}::bigint AND t.head
      ) AS mean
      FROM ${topics} t WHERE t.name = ${topic}`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of a size')
    })
  const [row] = rows
  if (row === undefined) return undefined
  return { events: Number(row.head), bytes: Math.round(Number(row.head) * Number(row.mean)) }
}
