import type { Head } from '@sekali/core/head'
import { inArray } from 'drizzle-orm'
import type { Store } from './connect.ts'
import { asStoreError } from './errors.ts'
import { topics } from './schema.ts'

/** How far topics have come: those of `names` that there are, or all. Rejects with `StoreUnavailable`. */
export async function readHeads(store: Store, names?: Iterable<string>): Promise<Head[]> {
  const rows = await store.db
    .select({ topic: topics.name, head: topics.head, position: topics.position })
    .from(topics)
    .where(names && inArray(topics.name, [...names]))
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of heads')
    })
  return rows as Head[]
}
