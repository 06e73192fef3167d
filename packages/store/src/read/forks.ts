import type { TopicName } from '@sekali/core/event'
import type { Fork } from '@sekali/core/fork'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { forks, topics } from '../postgres/schema.ts'
import { utc } from '../postgres/time.ts'

/** A topic whose log has forked. */
export interface ForkedTopic {
  readonly topicId: number
  readonly topic: TopicName
  /** The current epoch. */
  readonly epoch: number
  /** Where its epochs began, the current one's last. */
  readonly forks: readonly Fork[]
}

/** The smallest seq at which each of the topics has forked, by id. Rejects with `StoreUnavailable`. */
export async function readFirstForks(
  db: Store['db'],
  topicIds: readonly number[],
): Promise<Map<number, number>> {
  const { rows } = await db
    .execute<{ id: number; first: string }>(
      sql`SELECT topic_id AS id, min(forked_at) AS first FROM ${forks}
        WHERE topic_id = ANY (${sql.param(topicIds)}::integer[]) GROUP BY topic_id`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of first forks')
    })
  return new Map(rows.map(({ id, first }) => [id, Number(first)]))
}

/**
 * The topics whose logs have forked, by id: of those named, or of all. All others are in their first epoch. A reader judges
 * its place by them (`forkBefore`) in the snapshot in which it read, or by a read of them that began after that: a fork
 * that is committed in between must not be missed. Rejects with `StoreUnavailable`.
 */
export async function readForks(
  store: Pick<Store, 'db'>,
  topicIds?: readonly number[],
): Promise<Map<number, ForkedTopic>> {
  const chosen = topicIds === undefined ? sql`true` : sql`t.id = ANY (${sql.param(topicIds)}::integer[])`
  const { rows } = await store.db
    .execute<{ id: number; name: string; current: number; epoch: number; forked_at: string; at: string }>(
      sql`SELECT t.id, t.name, t.epoch AS current, f.epoch, f.forked_at, f.at::text AS at
        FROM ${forks} f JOIN ${topics} t ON t.id = f.topic_id WHERE ${chosen} ORDER BY t.id, f.epoch`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of forks')
    })
  const found = new Map<number, ForkedTopic & { readonly forks: Fork[] }>()
  for (const { id, name, current, epoch, forked_at: forkedAt, at } of rows) {
    const forked = found.get(id) ?? { topicId: id, topic: name as TopicName, epoch: current, forks: [] }
    forked.forks.push({ epoch, forkedAt: Number(forkedAt), at: utc(at) })
    found.set(id, forked)
  }
  return found
}
