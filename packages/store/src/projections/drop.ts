import { appendAuditIn, type By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { orphanedMs } from './announce.ts'

/** `folded`: a projector has its definition, or had it a moment ago, so it stays. */
export type Dropping = 'dropped' | 'folded' | 'unknown'

/**
 * Drops a projection that nobody folds any more: it is gone for whoever asks, and projectors delete its states in
 * chunks. The audit log says who has dropped it. Rejects with `StoreUnavailable`.
 */
export const dropProjection = (store: Store, name: string, by: By): Promise<Dropping> =>
  withTransaction(store, 'dropping of a projection', async (tx) => {
    // As for a rebuild: the gateway's sessions only read, and the function has its owner's rights.
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    const { rows } = await tx.execute<{ outcome: Dropping }>(
      sql`SELECT projections.drop_projection(${name}, ${orphanedMs} * interval '1 ms') AS outcome`,
    )
    const outcome = rows[0]?.outcome ?? 'unknown'
    if (outcome === 'dropped') await appendAuditIn(tx, { ...by, action: 'projection_dropped', target: name })
    return outcome
  })
