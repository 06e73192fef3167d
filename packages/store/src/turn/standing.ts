import type { TopicName } from '@sekali/core/event'
import { origin, type Position } from '@sekali/core/position'
import type { Store } from '../postgres/connect.ts'
import { isNotNull, sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'
import type { Turn } from './turn.ts'

/**
 * Up to where a topic's present stream is accounted for; of one whose stream was retired, nothing of the next one. Its
 * ids come later, unless Redis's clock has been set back.
 */
export const livePosition = sql<string>`CASE WHEN ${topics.retired} THEN ${origin} ELSE ${topics.position} END`

/**
 * Names the state that PostgreSQL serves: it changes when the server starts, when another one takes over, and when the
 * database or its table of topics is made anew; also when somebody begins epochs (operate/begin-epochs.ts). So whoever finds another name need not know the state any more. Rejects with
 * `StoreUnavailable`.
 */
export async function readStateName(store: Store): Promise<string> {
  const { rows } = await store.db
    .execute<{ name: string }>(
      sql`SELECT concat_ws(' ', pg_postmaster_start_time(), oid, pg_relation_filenode('topics'),
          (SELECT max(epoch) FROM forks WHERE topic_id = 0)) AS name
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

/** How far a topic's log has come, and with how much of its stream. */
export type LogStanding = Pick<
  Turn,
  'topicId' | 'topic' | 'head' | 'epoch' | 'position' | 'accounted' | 'group'
>

/** That of all topics that somebody may have read. Rejects with `StoreUnavailable`. */
export async function readLogStandings(store: Store): Promise<LogStanding[]> {
  const rows = await store.db
    .select({
      topicId: topics.id,
      topic: topics.name,
      head: topics.head,
      epoch: topics.epoch,
      position: topics.position,
      accounted: topics.accounted,
      group: topics.streamGroup,
    })
    .from(topics)
    .where(sql`${topics.head} > 0 OR ${topics.epoch} > 1`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of logs')
    })
  return rows as LogStanding[]
}
