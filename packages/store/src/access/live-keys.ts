import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { type KeyRow, keyColumns, keysOf, type StoredKey } from './keys.ts'

/**
 * A word that is another one after a key was made, rotated or revoked, and the same after one was used or has expired.
 * It counts as well, because of two changes the one that began first may be committed last. Rejects with
 * `StoreUnavailable`.
 */
export async function readKeysVersion(store: Store): Promise<string> {
  const { rows } = await store.pool
    .query<{ version: string }>(
      `SELECT concat_ws(' ', count(*), count(revoked_at), count(successor), max(created_at), max(revoked_at)) AS version
       FROM access.keys`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'look at keys')
    })
  return rows[0]?.version ?? ''
}

/** The keys that open something now, by PostgreSQL's clock. Rejects with `StoreUnavailable`. */
export async function readLiveKeys(store: Store, keysMax: number): Promise<readonly StoredKey[]> {
  const { rows } = await store.pool
    .query<KeyRow>(
      `SELECT ${keyColumns} FROM access.keys k
       WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
       ORDER BY k.created_at DESC LIMIT $1`,
      [keysMax],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of keys')
    })
  return keysOf(rows)
}
