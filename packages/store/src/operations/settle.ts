/** What one person does about one letter. Each change and its entry in the audit log are one function of the database. */
import type { LetterId } from '@sekali/core/letter'
import type { By } from '../audit/append.ts'
import { type Store, withTransaction } from '../postgres/connect.ts'
import { hasEnded, outcomeOf, whoOf, writing } from './functions.ts'

/**
 * `unknown`: there is no such letter. `settled`: somebody has dealt with it. `actor_ended`: the key, or token, of who
 * asks has been revoked or has expired.
 */
export type NotSettled = 'unknown' | 'settled' | 'actor_ended'

/** Marks a letter as done with. Rejects with `StoreUnavailable`. */
export const discardLetter = (
  store: Store,
  { kind, number }: LetterId,
  reason: string,
  by: By,
): Promise<'discarded' | NotSettled> =>
  withTransaction(store, 'discard of a dead letter', async (tx) => {
    await writing(tx)
    if (await hasEnded(tx, by)) return 'actor_ended'
    const values = [kind, number, reason, ...whoOf(by)]
    return await outcomeOf<'discarded' | NotSettled>(tx, 'operations.discard($1, $2, $3, $4, $5)', values)
  })

/**
 * Marks a conflict as published under another id once `publish` has resolved; nobody else settles it meanwhile. Crash in
 * between: the event may be there and the conflict open, and the same again changes nothing but that. Rejects with
 * `StoreUnavailable`, or with what `publish` throws.
 */
export const publishConflictAs = (
  store: Store,
  number: number,
  eventId: string,
  publish: () => Promise<void>,
  by: By,
): Promise<'published_as' | NotSettled> =>
  withTransaction(store, 'publishing of a conflict', async (tx) => {
    await writing(tx)
    if (await hasEnded(tx, by)) return 'actor_ended'
    const held = await outcomeOf<'open' | NotSettled>(tx, 'operations.hold($1)', [number])
    if (held !== 'open') return held
    await publish()
    const values = [number, eventId, ...whoOf(by)]
    return await outcomeOf<'published_as' | NotSettled>(tx, 'operations.publish_as($1, $2, $3, $4)', values)
  })
