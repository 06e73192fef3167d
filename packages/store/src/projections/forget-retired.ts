import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { checkpoints, generations, states } from '../postgres/projections-schema.ts'

/**
 * Deletes a chunk of what retired generations left; true when there is more. In chunks, because one statement over
 * millions of states would run into its timeout, and undo all that it had done. Rejects with `StoreUnavailable`.
 */
export const forgetRetired = (store: Store, statesMax = 2_000): Promise<boolean> =>
  withTransaction(store, 'deletion of old states', async (tx) => {
    const { rows } = await tx.execute<{ id: number }>(
      sql`SELECT id FROM ${generations} WHERE stage = 'retired' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    )
    const id = rows[0]?.id
    if (id === undefined) return false
    const { rowCount } = await tx.execute(sql`
      DELETE FROM ${states} WHERE generation_id = ${id} AND key IN (
        SELECT key FROM ${states} WHERE generation_id = ${id} ORDER BY key LIMIT ${statesMax})`)
    if ((rowCount ?? 0) < statesMax) {
      await tx.execute(sql`DELETE FROM ${checkpoints} WHERE generation_id = ${id}`)
      await tx.execute(sql`DELETE FROM ${generations} WHERE id = ${id}`)
    }
    return true
  })
