import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { generations } from '../postgres/projections-schema.ts'
import { selectRows } from './read.ts'

/**
 * The patterns of each projection's topics, or of the one of a name: also those of a generation that is being built, whose
 * errors are shown, too. Rejects with `StoreUnavailable`.
 */
export async function readProjectionTopics(
  store: Store,
  only?: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await selectRows<{ name: string; topics: string[] }>(
    store,
    sql`
      SELECT name, array_agg(DISTINCT pattern ORDER BY pattern) AS topics
      FROM ${generations}, unnest(topics) AS pattern
      WHERE stage <> 'retired' AND (${only ?? null}::text IS NULL OR name = ${only ?? null})
      GROUP BY name`,
  )
  return new Map(rows.map(({ name, topics }) => [name, topics]))
}
