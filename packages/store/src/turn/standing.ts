import type { TopicName } from '@sekali/core/event'
import { origin, type Position } from '@sekali/core/position'
import type { Store } from '../postgres/connect.ts'
import { isNotNull, sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'

/**
 * Up to where a topic's present stream is accounted for; of one whose stream was retired, nothing of the next one. Its
 * ids come later, unless Redis's clock has been set back.
 */
export const livePosition = sql<string>`CASE WHEN ${topics.retired} THEN ${origin} ELSE ${topics.position} END`

/**
 * Names the state that PostgreSQL serves: it changes when the server starts, when another one takes over, and when the
 * database or its table of topics is made anew. So whoever finds another name need not know the state any more. Rejects with
 * `StoreUnavailable`.
 */
export async function readStateName(store: Store): Promise<string> {
  const { rows } = await store.db
    .execute<{ name: string }>(
      sql`SELECT concat_ws(' ', pg_postmaster_start_time(), oid, pg_relation_filenode('topics')) AS name
        FROM pg_database WHERE datname = current_database()`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'look at the state')
    })
  return String(rows[0]?.name)
}

/**
 * Up to where the topics that have a stream are accounted for, so that a consumer that starts need not take a turn of
 * each to find that out. Rejects with `StoreUnavailable`.
 */
export async function readStandings(store: Store): Promise<Map<TopicName, Position>> {
  const rows = await store.db
    .select({ topic: topics.name, position: topics.position })
    .from(topics)
    .where(sql`${isNotNull(topics.history)} AND NOT ${topics.retired}`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of standings')
    })
  return new Map(rows.map(({ topic, position }) => [topic as TopicName, position as Position]))
}
