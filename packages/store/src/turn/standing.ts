import type { TopicName } from '@sekali/core/event'
import { origin, type Position } from '@sekali/core/position'
import type { SQL } from 'drizzle-orm'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { eachLine } from '../postgres/each-line.ts'
import { eachRow } from '../postgres/each-row.ts'
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

// A consumer that starts reads all topics, of which there may be tens of thousands. They come as in read/heads.ts: hundreds in
// a text, a line for each. No name and no position has a space in it.
async function eachLineOfTopics(
  store: Store,
  what: string,
  { columns, where }: { readonly columns: SQL; readonly where: SQL },
  onLine: (values: readonly string[]) => void,
): Promise<void> {
  const bundles: string[] = []
  await eachRow(
    store,
    what,
    sql`SELECT string_agg(concat_ws(' ', ${columns}), E'\\n') FROM ${topics} WHERE ${where} GROUP BY id / 256`,
    ([text]) => void bundles.push(text ?? ''),
  )
  await eachLine(bundles, (line) => onLine(line.split(' ')))
}

/**
 * Up to where the topics that have a stream are accounted for, so that a consumer that starts need not take a turn of
 * each to find that out. Rejects with `StoreUnavailable`.
 */
export async function readStandings(store: Store): Promise<Map<TopicName, Position>> {
  const standings = new Map<TopicName, Position>()
  const chosen = { columns: sql`name, position`, where: sql`history IS NOT NULL AND NOT retired` }
  await eachLineOfTopics(store, 'read of standings', chosen, ([name, position]) => {
    standings.set(name as TopicName, position as Position)
  })
  return standings
}

/** How far a topic's log has come, and with how much of its stream. */
export type LogStanding = Pick<
  Turn,
  'topicId' | 'topic' | 'head' | 'epoch' | 'position' | 'accounted' | 'group'
>

/** That of all topics that somebody may have read. Rejects with `StoreUnavailable`. */
export async function readLogStandings(store: Store): Promise<LogStanding[]> {
  const logs: LogStanding[] = []
  const chosen = {
    columns: sql`id, head, epoch, accounted, position, name, stream_group`,
    where: sql`head > 0 OR epoch > 1`,
  }
  await eachLineOfTopics(store, 'read of logs', chosen, (values) => {
    const [topicId, head, epoch, accounted, position, topic, ...group] = values
    logs.push({
      topicId: Number(topicId),
      topic: topic as TopicName,
      head: Number(head),
      epoch: Number(epoch),
      accounted: Number(accounted),
      position: position as Position,
      group: group.length === 0 ? null : group.join(' '), // whoever makes a group names it
    })
  })
  return logs
}
