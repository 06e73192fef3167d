import { appendAuditIn, type By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'

/**
 * Asks for a projection to be folded anew beside what is on show; false when there is none of that name. The
 * audit log says who has asked. Rejects with `StoreUnavailable`.
 */
export async function requestRebuild(store: Store, name: string, by: By): Promise<boolean> {
  // The gateway's sessions only read, unless a transaction says otherwise. The function has its owner's rights.
  return await withTransaction(store, 'request of a rebuild', async (tx) => {
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    const { rows } = await tx.execute<{ found: boolean }>(
      sql`SELECT projections.request_rebuild(${name}) AS found`,
    )
    const found = rows[0]?.found ?? false
    if (found) await appendAuditIn(tx, { ...by, action: 'projection_rebuild', target: name })
    return found
  })
}
