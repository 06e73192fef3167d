/**
 * How keys are made, rotated and revoked. Each change and its entry in the audit log are one transaction, because one
 * function of the database makes both: nobody who may call it can do the one without the other.
 */
import type { Grant } from '@sekali/core/access'
import type { By } from '../audit/append.ts'
import { type Store, type Tx, withTransaction } from '../postgres/connect.ts'
import { hashOf, makeKey } from './key-text.ts'
import { type KeyRow, keyColumns, keyOf, type StoredKey } from './keys.ts'

/** What a key is to be. Its name is for people. */
export interface NewKey extends Omit<Grant, 'holder'> {
  readonly name: string
  /** UTC; without it the key does not expire. */
  readonly expiresAt?: string | undefined
}

/** A key that has just been made. The text is nowhere else: who does not keep it has lost it. */
export interface MadeKey {
  readonly key: StoredKey
  readonly text: string
}

/**
 * `actor_ended`: the key that asks was revoked, or has expired. `beyond_actor`: the key would live longer than who asks.
 * `too_many`: there are 10,000 that work.
 */
export type NotMade = 'actor_ended' | 'beyond_actor' | 'too_many'

/** Makes a key. Rejects with `StoreUnavailable` or `DataRefused`. */
export const createKey = (store: Store, wanted: NewKey, by: By): Promise<MadeKey | NotMade> =>
  withTransaction(store, 'making of a key', async (tx) => {
    await mayWrite(tx)
    return await createKeyIn(tx, wanted, by)
  })

export async function createKeyIn(tx: Tx, wanted: NewKey, by: By): Promise<MadeKey | NotMade> {
  const { name, scopes, topics, source, eventsPerSecond, bytesPerSecond, expiresAt } = wanted
  const { id, text } = makeKey()
  const patterns = topics.map((pattern) => pattern.text)
  const limits = [eventsPerSecond ?? null, bytesPerSecond ?? null]
  const outcome = await outcomeOf<'created' | NotMade>(
    tx,
    'access.create_key($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    [id, name, hashOf(text), scopes, patterns, source ?? null, ...limits, expiresAt ?? null, ...whoOf(by)],
  )
  return outcome === 'created' ? { key: await read(tx, id), text } : outcome
}

/** `ended`: it was revoked or has expired. `succeeded`: it was rotated already. `busy`: somebody else changes it. */
export type RotationRefused = NotMade | 'unknown' | 'ended' | 'succeeded' | 'busy'

/**
 * Makes a key that takes another's place: it may do the same, and lives as long as the other was to live, but not beyond
 * the end of who asks. The other one expires after `oldExpiresInSeconds`, or when it would have anyway. Rejects with `StoreUnavailable`.
 */
export const rotateKey = (
  store: Store,
  oldId: string,
  oldExpiresInSeconds: number,
  by: By,
): Promise<MadeKey | RotationRefused> =>
  withTransaction(store, 'rotation of a key', async (tx) => {
    await mayWrite(tx)
    const { id, text } = makeKey()
    const outcome = await outcomeOf<'rotated' | RotationRefused>(
      tx,
      `access.rotate_key($1, $2, $3, $4 * interval '1 s', $5, $6, $7)`,
      [oldId, id, hashOf(text), oldExpiresInSeconds, ...whoOf(by)],
    )
    return outcome === 'rotated' ? { key: await read(tx, id), text } : outcome
  })

/** Ends a key for good; safe twice. Rejects with `StoreUnavailable`. */
export const revokeKey = (store: Store, id: string, by: By): Promise<StoredKey | 'actor_ended' | 'unknown'> =>
  withTransaction(store, 'revocation of a key', async (tx) => {
    await mayWrite(tx)
    const outcome = await outcomeOf<'revoked' | 'actor_ended' | 'unknown'>(
      tx,
      'access.revoke_key($1, $2, $3, $4)',
      [id, ...whoOf(by)],
    )
    return outcome === 'revoked' ? await read(tx, id) : outcome
  })

/** Notes when keys were last used. A time before the noted one changes nothing. Rejects with `StoreUnavailable`. */
export const noteUses = (store: Store, uses: ReadonlyMap<string, Date>): Promise<void> =>
  withTransaction(store, 'note of the use of keys', async (tx) => {
    await mayWrite(tx)
    const times = [...uses.values()].map((at) => at.toISOString())
    await tx.$client.query('SELECT access.note_uses($1, $2)', [[...uses.keys()], times])
  })

// The gateway's sessions only read, unless a transaction says otherwise. The functions have their owner's rights.
const mayWrite = (tx: Tx) => tx.$client.query('SET TRANSACTION READ WRITE')

const whoOf = ({ actor, client, until }: By) => [actor, client ?? null, until?.toISOString() ?? null]

async function outcomeOf<Outcome extends string>(tx: Tx, call: string, values: unknown[]): Promise<Outcome> {
  const { rows } = await tx.$client.query<{ outcome: Outcome }>(`SELECT ${call} AS outcome`, values)
  return rows[0]?.outcome as Outcome
}

async function read(tx: Tx, id: string): Promise<StoredKey> {
  const { rows } = await tx.$client.query<KeyRow>(`SELECT ${keyColumns} FROM access.keys k WHERE id = $1`, [
    id,
  ])
  return keyOf(rows[0] as KeyRow)
}
