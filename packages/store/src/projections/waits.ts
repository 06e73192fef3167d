import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { checkpoints, generations } from '../postgres/projections-schema.ts'
import { events, topics } from '../postgres/schema.ts'

/**
 * By live projection, for how many milliseconds the oldest event that it has yet to fold has been stored. One
 * that is level, has failed or is being built is not in it. Rejects with `StoreUnavailable`.
 */
export async function readProjectionWaits(store: Store): Promise<Map<string, number>> {
  // OFFSET 0: a descent of the index for each topic, whatever the planner thinks; see commit.ts.
  const { rows } = await store.db
    .execute<{ name: string; waited_ms: string }>(sql`
      SELECT g.name, max(extract(epoch FROM clock_timestamp() - e.stored_at)) * 1000 AS waited_ms
      FROM ${generations} g CROSS JOIN ${topics} t
      LEFT JOIN ${checkpoints} c ON c.generation_id = g.id AND c.topic_id = t.id
      CROSS JOIN LATERAL (
        SELECT stored_at FROM ${events} WHERE topic_id = t.id AND seq = coalesce(c.seq, 0) + 1 OFFSET 0
      ) e
      WHERE g.stage = 'live' AND g.failed_message IS NULL
        -- The pattern last: it need not be held against the names of topics that are level.
        AND CASE WHEN t.head > coalesce(c.seq, 0) THEN t.name ~ g.topic_regex END
      GROUP BY g.name`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of what projections have yet to fold')
    })
  return new Map(rows.map(({ name, waited_ms }) => [name, Number(waited_ms)]))
}
