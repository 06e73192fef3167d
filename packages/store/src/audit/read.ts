import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'

export interface AuditEntry {
  /** 1, 2, 3 … without a gap. */
  readonly number: number
  /** UTC. */
  readonly at: string
  readonly actor: string
  readonly client: string | null
  readonly action: string
  readonly target: string
  readonly details: object
}

/** Ascending behind `after`, otherwise descending, before `before` if that is given. */
export interface AuditPage {
  readonly after?: number | undefined
  readonly before?: number | undefined
  readonly limit: number
}

type Row = Omit<AuditEntry, 'number'> & { readonly number: string }

/** A page of the audit log. Whoever has seen a number has seen all before it. Rejects with `StoreUnavailable`. */
export async function readAudit(store: Store, { after, before, limit }: AuditPage): Promise<AuditEntry[]> {
  const { rows } = await store.pool
    .query<Row>(
      `SELECT number, at::text, actor, client, action, target, details FROM audit.entries
       WHERE number > coalesce($1::bigint, 0) AND ($2::bigint IS NULL OR number < $2)
       ORDER BY number ${after === undefined ? 'DESC' : 'ASC'} LIMIT $3`,
      [after ?? null, before ?? null, limit],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of the audit log')
    })
  return rows.map((row) => ({ ...row, number: Number(row.number), at: utc(row.at) }))
}
