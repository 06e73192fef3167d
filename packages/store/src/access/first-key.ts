import { scopes } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { createKeyIn, type MadeKey, type NotMade } from './change-keys.ts'

/** The first key of an installation that is older than `work` has these, and can give a key any scope. */
const scopesOfBefore = scopes.filter((scope) => scope !== 'work')

/** `exists`: there is a key already that may do everything. */
export type NoFirstKey = 'exists' | NotMade

/**
 * Makes a key that may do everything, where there is none. With `replace` it revokes those that there are first: they are
 * lost, or in the wrong hands. It takes the rights of the schema's owner. Any number of processes may call it at once, and
 * one of them makes the key. Rejects with `StoreUnavailable`.
 */
export const createFirstKey = (
  store: Store,
  { replace, actor }: { readonly replace: boolean; readonly actor: string },
): Promise<MadeKey | NoFirstKey> =>
  withTransaction(store, 'making of the first key', async (tx) => {
    // Also those wait who only lock rows: they would have them locked while this waits for one.
    await tx.$client.query('LOCK TABLE access.keys IN EXCLUSIVE MODE')
    const { rows } = await tx.$client.query<{ id: string }>(
      `SELECT id FROM access.keys
       WHERE scopes @> $1 AND '>' = ANY (topics) AND source IS NULL AND events_per_second IS NULL
         AND bytes_per_second IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
       ORDER BY id`,
      [scopesOfBefore],
    )
    if (rows.length > 0 && !replace) return 'exists'
    for (const { id } of rows)
      await tx.$client.query('SELECT access.revoke_key($1, $2, NULL, NULL)', [id, actor])
    return await createKeyIn(tx, { name: 'first', scopes, topics: [parsePattern('>')] }, { actor })
  })
