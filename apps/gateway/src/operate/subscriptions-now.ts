import type { Store } from '@sekali/store/connect'
import { readDispatchers } from '@sekali/store/dispatchers'
import { readClock } from '@sekali/store/doctor'
import { readEndpoints } from '@sekali/store/endpoints'
import type { Endpoint } from '@sekali/store/push-types'
import { readSubscriptions } from '@sekali/store/read-subscriptions'
import type { SubscriptionStatus } from '@sekali/store/subscription-types'

/** As they are at one moment of PostgreSQL's clock. */
export interface SubscriptionsNow {
  readonly all: readonly SubscriptionStatus[]
  /** Of those that are sent, by their ids. */
  readonly endpoints: ReadonlyMap<number, Endpoint>
  /** Dispatchers at work. */
  readonly dispatchers: number
  readonly nowMs: number
}

/** Rejects with `StoreUnavailable`. */
export async function readSubscriptionsNow(store: Store): Promise<SubscriptionsNow> {
  const [all, dispatchers, nowMs] = await Promise.all([
    readSubscriptions(store),
    readDispatchers(store),
    readClock(store),
  ])
  const ids = all.filter(({ kind }) => kind === 'push').map(({ id }) => id)
  const endpoints = ids.length === 0 ? new Map<number, Endpoint>() : await readEndpoints(store, ids)
  return { all, endpoints, dispatchers: dispatchers.filter(({ live }) => live).length, nowMs }
}

/** For how many seconds the oldest event that is not settled has been stored; 0 if all are. */
export const oldestSecondsOf = ({ oldestUnsettledAt }: SubscriptionStatus, nowMs: number): number =>
  oldestUnsettledAt === null ? 0 : Math.max(0, (nowMs - Date.parse(oldestUnsettledAt)) / 1_000)
