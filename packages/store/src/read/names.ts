import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { topics } from '../postgres/schema.ts'

/** Those of the names that are topics, and how many topics there are. Rejects with `StoreUnavailable`. */
export async function readNames(
  store: Store,
  names: readonly TopicName[],
): Promise<{ readonly known: ReadonlySet<TopicName>; readonly count: number }> {
  const { rows } = await store.db
    .execute<{ count: string; known: TopicName[] | null }>(
      sql`SELECT count(*), array_agg(name) FILTER (WHERE name = ANY (${sql.param(names)}::text[])) AS known
        FROM ${topics}`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of names')
    })
  return { known: new Set(rows[0]?.known ?? []), count: Number(rows[0]?.count ?? 0) }
}
