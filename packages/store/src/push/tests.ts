/** Samples that somebody wants sent. The gateway asks, a dispatcher sends, and the answer is among the attempts. */
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { change, whoOf } from '../subscriptions/call.ts'
import { findAttempt } from './attempts.ts'
import type { Attempt, NotDone } from './types.ts'

export type AskedTest =
  | { readonly outcome: 'asked'; readonly id: number }
  /** `too_many`: five wait already. */
  | { readonly outcome: NotDone | 'too_many' }

/** Asks for a signed sample to be sent, whatever state the endpoint has. Rejects with `StoreUnavailable`. */
export const askTest = (store: Store, name: string, by: By): Promise<AskedTest> =>
  change<{ outcome: AskedTest['outcome']; id: string }, AskedTest>(
    store,
    'a test of an endpoint',
    'subscriptions.ask_test($1, $2, $3, $4)',
    [name, ...whoOf(by)],
    ({ outcome, id }) => (outcome === 'asked' ? { outcome, id: Number(id) } : { outcome }),
  )

/** What came of it. `waiting`: nothing so far. `unknown`: it was forgotten. Rejects with `StoreUnavailable`. */
export async function readTest(store: Store, id: number): Promise<Attempt | 'waiting' | 'unknown'> {
  const { rows } = await store.pool
    .query<{ attempt: string | null }>('SELECT t.attempt FROM subscriptions.tests t WHERE t.id = $1', [id])
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of a test')
    })
  const [test] = rows
  if (test === undefined) return 'unknown'
  if (test.attempt === null) return 'waiting'
  return (await findAttempt(store, Number(test.attempt))) ?? 'unknown'
}
