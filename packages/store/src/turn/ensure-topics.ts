import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { forks, topics } from '../postgres/schema.ts'

/**
 * Makes sure that each topic has a row. After a restore of which Redis knew nothing (see begin-epochs.ts) a new one may have
 * been there before, and so it begins in that epoch. Rejects with `StoreUnavailable`.
 */
export async function ensureTopics(store: Store, names: readonly TopicName[]): Promise<void> {
  await store.db
    .execute(
      // In one order, so that two who add the same cannot wait for each other. Those that are there are left
      // out first, because a conflict uses up an id.
      sql`WITH made AS (
          INSERT INTO ${topics} (name, epoch)
          SELECT name, coalesce((SELECT max(epoch) FROM ${forks} WHERE topic_id = 0), 1)
          FROM unnest(${sql.param(names)}::text[]) AS n (name)
          WHERE NOT EXISTS (SELECT FROM ${topics} t WHERE t.name = n.name)
          ORDER BY name ON CONFLICT (name) DO NOTHING RETURNING id, epoch
        )
        INSERT INTO ${forks} (topic_id, epoch, forked_at, at)
        SELECT m.id, m.epoch, 0, f.at FROM made m JOIN ${forks} f ON f.topic_id = 0 AND f.epoch = m.epoch`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'making of topics')
    })
}
