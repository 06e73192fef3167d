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
