import { withoutKeys } from '@sekali/core/key'
import { type Store, type Tx, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'

/** Who asks for a change, for the audit log. */
export interface By {
  /** The id of a key, or another name of who it is. Never a secret. */
  readonly actor: string
  /** The address it was asked from; none if it was this machine's. */
  readonly client?: string | undefined
  /** When a token ends: what it makes ends by then. Of a key PostgreSQL knows it. */
  readonly until?: Date | undefined
}

/** Keys write their own entries: `key_created`, `key_rotated`, `key_revoked`. See the migrations. */
export interface AuditAction extends By {
  readonly action: 'topic_dropped' | 'projection_dropped' | 'projection_rebuild' | 'epochs_begun' | 'denied'
  /** The name of what it was done to; of a denial the route. */
  readonly target: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** Characters of a text that a client has written. */
const textCharsMax = 256

/**
 * Adds an entry in the transaction of what it tells of. It must be the last statement: until COMMIT nobody else can add
 * one, which is how numbers come without a gap.
 */
export async function appendAuditIn(
  tx: Tx,
  { actor, client, action, target, details }: AuditAction,
): Promise<void> {
  const short = (text: string) => withoutKeys(text).slice(0, textCharsMax).toWellFormed().replaceAll('\0', '')
  await tx.execute(
    sql`SELECT audit.report(${short(actor)}, ${client ?? null}, ${action}, ${short(target)},
      ${withoutKeys(JSON.stringify(details ?? {}))}::jsonb)`,
  )
}

/** Adds an entry about what changed nothing, such as a denial. Rejects with `StoreUnavailable`. */
export const appendAudit = (store: Store, entry: AuditAction): Promise<void> =>
  withTransaction(store, 'an entry of the audit log', async (tx) => {
    // The gateway's sessions only read, unless a transaction says otherwise. The function has its owner's rights.
    await tx.execute(sql`SET TRANSACTION READ WRITE`)
    await appendAuditIn(tx, entry)
  })
