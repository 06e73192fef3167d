import type { Head } from '@sekali/core/head'
import type { Store } from './connect.ts'
import { sql } from './drizzle.ts'
import { asStoreError } from './errors.ts'
import { topics } from './schema.ts'
import { livePosition } from './standing.ts'

/**
 * How far topics have come: those that there are of the names, or whose names match the expression, or all. Rejects
 * with `StoreUnavailable`.
 */
export async function readHeads(store: Store, which?: Iterable<string> | RegExp): Promise<Head[]> {
  const rows = await store.db
    .select({ topicId: topics.id, topic: topics.name, head: topics.head, position: livePosition })
    .from(topics)
    .where(
      which instanceof RegExp
        ? sql`${topics.name} ~ ${which.source}`
        : which && sql`${topics.name} = ANY (${sql.param([...which])}::text[])`, // a parameter a name would be too many
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of heads')
    })
  return rows as Head[]
}
