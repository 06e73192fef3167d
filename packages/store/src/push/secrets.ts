/** What deliveries of a subscription are signed with. The secrets themselves are sealed, and no function here gives them. */
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import { change, whoOf } from '../subscriptions/call.ts'
import type { NotDone, Secret } from './types.ts'

/** Those that sign, the newest first. Rejects with `StoreUnavailable`. */
export async function listSecrets(store: Store, subscription: number): Promise<Secret[]> {
  const { rows } = await store.pool
    .query<{ id: number; created_at: string; created_by: string; expires_at: string | null }>(
      `SELECT s.id, s.created_at::text AS created_at, s.created_by, s.expires_at::text AS expires_at
       FROM subscriptions.secrets s
       WHERE s.subscription = $1 AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp()) ORDER BY s.id DESC`,
      [subscription],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of secrets')
    })
  return rows.map(({ id, created_at, created_by, expires_at }) => ({
    id,
    createdAt: utc(created_at),
    createdBy: created_by,
    expiresAt: expires_at && utc(expires_at),
  }))
}

export type Rotated =
  | { readonly outcome: 'rotated'; readonly id: number }
  /** `too_many`: so many are valid already. */
  | { readonly outcome: NotDone | 'too_many' }

/** Adds a secret; those before it sign for 24 h more. Not safe twice. Rejects with `StoreUnavailable`. */
export const rotateSecret = (store: Store, name: string, sealed: Buffer, by: By): Promise<Rotated> =>
  change<{ outcome: Rotated['outcome']; id: number }, Rotated>(
    store,
    'rotation of a secret',
    'subscriptions.rotate_secret($1, $2, $3, $4, $5)',
    [name, sealed, ...whoOf(by)],
    ({ outcome, id }) => (outcome === 'rotated' ? { outcome, id } : { outcome }),
  )

/** `last_one`: the newest one stays. */
export type SecretRemoval = 'removed' | NotDone | 'no_such_secret' | 'last_one'

/** Has an older secret sign no more, at once. Rejects with `StoreUnavailable`. */
export const removeSecret = (store: Store, name: string, id: number, by: By): Promise<SecretRemoval> =>
  change<{ outcome: SecretRemoval }, SecretRemoval>(
    store,
    'removal of a secret',
    'subscriptions.remove_secret($1, $2, $3, $4, $5) AS r (outcome)',
    [name, id, ...whoOf(by)],
    ({ outcome }) => outcome,
  )
