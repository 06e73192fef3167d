/** What somebody has said about a topic. A turn obeys what the topic's row has when the turn begins. */
import type { TopicName } from '@sekali/core/event'
import type { By } from '../audit/append.ts'
import type { TagKind } from '../keys/content-tag.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'

export interface TopicSettings {
  /** What of two events of one id makes the second a duplicate and no conflict. */
  readonly sameContent: TagKind
}

/** Those of a topic that has none, or that there is not yet. */
const usual: TopicSettings = { sameContent: 'bytes' }

/** Rejects with `StoreUnavailable`. */
export async function readTopicSettings(store: Store, topic: TopicName): Promise<TopicSettings> {
  const rows = await store.db
    .select({ sameContent: topics.sameContent })
    .from(topics)
    .where(sql`${topics.name} = ${topic}`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of the settings of a topic')
    })
  return (rows[0] as TopicSettings | undefined) ?? usual
}

/**
 * `actor_ended`: the key that asks was revoked, or has expired. `busy`: somebody has held the topic's row for longer than a
 * turn takes.
 */
export type NotSet = 'actor_ended' | 'busy'

/**
 * Says what holds for a topic from its next turn on, and makes the topic if there is none. Safe twice. A change is in the
 * audit log. Rejects with `StoreUnavailable`.
 */
export const setTopicSettings = (
  store: Store,
  topic: TopicName,
  { sameContent }: TopicSettings,
  { actor, client, until }: By,
): Promise<'set' | NotSet> =>
  withTransaction(store, 'change of the settings of a topic', async (tx) => {
    // As for a drop: the gateway's sessions only read, and the function has its owner's rights.
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    const { rows } = await tx.execute<{ outcome: 'set' | NotSet }>(
      sql`SELECT set_topic_settings(${topic}, ${sameContent}, ${actor}, ${client ?? null},
        ${until?.toISOString() ?? null}) AS outcome`,
    )
    return rows[0]?.outcome ?? 'busy'
  })

/** The topics with a setting that is not the usual one: how many, and the first few by name. Rejects with `StoreUnavailable`. */
export async function readJsonTopics(
  store: Store,
  namedMax: number,
): Promise<{ count: number; names: TopicName[] }> {
  const { rows } = await store.db
    .execute<{ name: TopicName; count: string }>(
      sql`SELECT name, count(*) OVER () AS count FROM ${topics} WHERE same_content = 'json'
        ORDER BY name COLLATE "C" LIMIT ${namedMax}`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of the settings of topics')
    })
  return { count: Number(rows[0]?.count ?? 0), names: rows.map(({ name }) => name) }
}
