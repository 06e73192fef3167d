/**
 * How an operation is run, by one process at a time and to its end whoever dies.
 *
 * A lease says whose it is. Every step is one transaction that begins by renewing it, which locks the operation's row: who has
 * lost the lease, or whose operation was cancelled, changes nothing any more. It then looks whether who began the operation
 * is still somebody: with a key that was revoked nothing goes on. In a step letters are marked as redriven,
 * *then* appended, and only then it commits, together with the checkpoint. So while one redrive, or a discard, has a letter,
 * whoever else wants it waits; and nothing is marked that was not appended. Crash before COMMIT: the letters are open, and
 * are appended once more by whoever takes the lease when it has run out. Their event ids are the same, so they are stored
 * once.
 */
import type { TopicName } from '@sekali/core/event'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { outcomeOf, writing } from './functions.ts'
import { type Operation, type OperationRow, operationColumns, operationOf } from './operations.ts'
import { topicsOf } from './redrive.ts'

/** Seconds after which an operation that nobody renews is another's. */
const leaseSeconds = 10

/** The operation's id, and who runs it. */
export interface Lease {
  readonly operation: number
  readonly holder: string
}

/** Takes the lease of an operation that nobody runs; `undefined` if there is none. Rejects with `StoreUnavailable`. */
export const claimOperation = (store: Store, holder: string): Promise<Operation | undefined> =>
  withTransaction(store, 'claim of an operation', async (tx) => {
    await writing(tx)
    const { rows } = await tx.$client.query<OperationRow>(
      `SELECT ${operationColumns} FROM operations.claim($1, $2 * interval '1 s') o`,
      [holder, leaseSeconds],
    )
    return rows[0] && operationOf(rows[0])
  })

/** False: it is not this holder's any more, or has ended. Rejects with `StoreUnavailable`. */
export const renewLease = (store: Store, lease: Lease): Promise<boolean> =>
  withTransaction(store, 'renewal of a lease', async (tx) => {
    await writing(tx)
    return await outcomeOf<boolean>(tx, renew, valuesOf(lease))
  })

const renew = `operations.renew($1, $2, $3 * interval '1 s')`
const beginStep = `operations.begin_step($1, $2, $3 * interval '1 s')`
const valuesOf = ({ operation, holder }: Lease) => [operation, holder, leaseSeconds]

/** Gives it back before its time. Rejects with `StoreUnavailable`. */
export const releaseLease = (store: Store, { operation, holder }: Lease): Promise<void> =>
  withTransaction(store, 'release of a lease', async (tx) => {
    await writing(tx)
    await tx.$client.query('SELECT operations.release($1, $2)', [operation, holder])
  })

/** A letter to redrive. */
export interface Redrivable {
  readonly number: number
  readonly topic: TopicName
  readonly entryId: string
  /** The entry's fields and values as a JSON array of strings. */
  readonly fields: string
}

/** Characters of letters that are read at a time. One comes whatever its size. */
const charsMax = 2 * 1024 * 1024

/** The next letters of an operation behind a checkpoint. Rejects with `StoreUnavailable`. */
export async function readRedrivable(
  store: Store,
  { filter, asOf }: Operation,
  checkpoint: number,
  limit: number,
): Promise<Redrivable[]> {
  const { rows } = await store.pool
    .query<{ id: string; topic: TopicName; entry_id: string; fields: string }>(
      `SELECT n.id, t.name AS topic, n.entry_id, n.fields FROM (
         SELECT r.*, sum(length(r.fields)) OVER (ORDER BY r.id) - length(r.fields) AS before FROM (
           SELECT * FROM operations.redrivable($1, $2, $3, $4) ORDER BY id LIMIT $5
         ) r
       ) n JOIN topics t ON t.id = n.topic_id WHERE n.before < $6 ORDER BY n.id`,
      [filter, topicsOf(filter), checkpoint, asOf, limit, charsMax],
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of dead letters')
    })
  return rows.map(({ id, topic, entry_id, fields }) => ({
    number: Number(id),
    topic,
    entryId: entry_id,
    fields,
  }))
}

/** How far a step comes, and what came of the letters that it settles not. */
export interface Step {
  readonly checkpoint: number
  /** Letters to append. */
  readonly letters: readonly number[]
  /** How many letters came to something else, by what. */
  readonly skipped: Readonly<Record<string, number>>
}

/**
 * `lost`: the lease is another's, or the operation has ended. `actor_ended`: the key, or token, of who began it has been
 * revoked or has expired. Nothing was appended then.
 */
export type Stepped = 'ours' | 'lost' | 'actor_ended'

/**
 * One step: `append` gets the letters that nobody has settled, and they are marked as redriven if it resolves. Rejects with
 * `StoreUnavailable`, or with what `append` throws; then nothing is marked.
 */
export const redriveStep = (
  store: Store,
  lease: Lease,
  { checkpoint, letters, skipped }: Step,
  append: (letters: ReadonlySet<number>) => Promise<void>,
): Promise<Stepped> =>
  withTransaction(store, 'step of a redrive', async (tx) => {
    await writing(tx)
    const stepped = await outcomeOf<Stepped>(tx, beginStep, valuesOf(lease))
    if (stepped !== 'ours') return stepped
    const taken = await outcomeOf<string[]>(tx, 'operations.take($1, $2)', [lease.operation, letters])
    if (taken.length > 0) await append(new Set(taken.map(Number)))
    const others = letters.length - taken.length
    const outcomes = {
      ...skipped,
      ...(taken.length > 0 && { redriven: taken.length }),
      ...(others > 0 && { settled_by_others: others }),
    }
    const values = [lease.operation, lease.holder, checkpoint, outcomes]
    await tx.$client.query('SELECT operations.advance($1, $2, $3, $4)', values)
    return stepped
  })

/** Ends an operation: done, or failed with words for people. Rejects with `StoreUnavailable`. */
export const finishOperation = (store: Store, { operation, holder }: Lease, error?: string): Promise<void> =>
  withTransaction(store, 'end of an operation', async (tx) => {
    await writing(tx)
    await tx.$client.query('SELECT operations.finish($1, $2, $3)', [operation, holder, error ?? null])
  })
