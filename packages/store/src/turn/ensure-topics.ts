import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'

/** Makes sure that each topic has a row. Rejects with `StoreUnavailable`. */
export async function ensureTopics(store: Store, names: readonly TopicName[]): Promise<void> {
  await store.db
    .execute(
      // In one order, so that two who add the same cannot wait for each other. Those that are there are left
      // out first, because a conflict uses up an id.
      sql`INSERT INTO ${topics} (name)
        SELECT name FROM unnest(${sql.param(names)}::text[]) AS n (name)
        WHERE NOT EXISTS (SELECT FROM ${topics} t WHERE t.name = n.name)
        ORDER BY name ON CONFLICT (name) DO NOTHING`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'making of topics')
    })
}
