/** What administrators do with a subscription. The audit log says so, in the same transaction. */
import type { By } from '../audit/append.ts'
import type { Store } from '../postgres/connect.ts'
import { change, whoOf } from './call.ts'
import { placesOf } from './put.ts'
import { subscriptionIn } from './row.ts'
import type { From, SeekOutcome, SeekRefused, Subscription } from './types.ts'

/** `unknown`: there is no such subscription. `actor_ended`: whoever asks may do nothing any more. */
export type NotChanged = 'unknown' | 'actor_ended'

/**
 * A paused subscription hands nothing out; what is out can be settled, and leases run. Safe twice. Rejects with
 * `StoreUnavailable`.
 */
export const pauseSubscription = (store: Store, name: string, by: By): Promise<Subscription | NotChanged> =>
  setState(store, name, 'paused', by)

/** Safe twice. Rejects with `StoreUnavailable`. */
export const resumeSubscription = (store: Store, name: string, by: By): Promise<Subscription | NotChanged> =>
  setState(store, name, 'active', by)

const setState = (store: Store, name: string, state: Subscription['state'], by: By) =>
  change<{ outcome: 'set' | NotChanged }, Subscription | NotChanged>(
    store,
    'change of a subscription',
    'subscriptions.set_state($1, $2, $3, $4, $5) AS s (outcome)',
    [name, state, ...whoOf(by)],
    async ({ outcome }, tx) =>
      outcome === 'set' ? ((await subscriptionIn(tx, name)) as Subscription) : outcome,
  )

/**
 * Moves a subscription to another place. What is out is lost to its workers: their tokens are of before. Dead letters stay. A
 * dry run says what it would do, and changes nothing. Rejects with `StoreUnavailable`.
 */
export const seekSubscription = (
  store: Store,
  { name, topics, from, dryRun }: { name: string; topics: string; from: From; dryRun: boolean },
  by: By,
): Promise<SeekOutcome | SeekRefused> =>
  change<SeekRow, SeekOutcome | SeekRefused>(
    store,
    'seek of a subscription',
    'subscriptions.seek($1, $2, $3, $4, $5, $6)',
    [name, JSON.stringify(placesOf(from, topics)), dryRun, ...whoOf(by)],
    ({ outcome, lost, again, skipped }) =>
      outcome === 'moved' || outcome === 'would_move'
        ? { outcome, lost: Number(lost), again: Number(again), skipped: Number(skipped) }
        : outcome,
  )

interface SeekRow {
  readonly outcome: SeekOutcome['outcome'] | SeekRefused
  readonly lost: string
  readonly again: string
  readonly skipped: string
}

/** Removes a subscription with all that it knows, dead letters too. Rejects with `StoreUnavailable`. */
export const removeSubscription = (store: Store, name: string, by: By): Promise<'removed' | NotChanged> =>
  change<{ outcome: 'removed' | NotChanged }, 'removed' | NotChanged>(
    store,
    'removal of a subscription',
    'subscriptions.remove($1, $2, $3, $4) AS r (outcome)',
    [name, ...whoOf(by)],
    ({ outcome }) => outcome,
  )
