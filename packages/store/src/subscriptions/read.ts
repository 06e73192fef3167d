/** How subscriptions stand, for people and for metrics. */
import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'
import { type SubscriptionRow, subscriptionColumns, subscriptionOf } from './row.ts'
import type { Subscription, SubscriptionStatus } from './types.ts'

interface StatusRow extends SubscriptionRow {
  readonly lag: string
  readonly outstanding: string
  readonly retrying: string
  readonly waiting: string
  readonly blocked: readonly { topic: TopicName; source: string | null }[]
  readonly dead: string
  readonly oldest_unsettled_at: string | null
  readonly retry_due_at: string | null
}

/**
 * Subscriptions by name, behind `after`. For metrics as well: a page of 1,000 is all there can be. Rejects with
 * `StoreUnavailable`.
 */
export const readSubscriptions = (
  store: Store,
  { after = '', limit = 1_000 }: { readonly after?: string | undefined; readonly limit?: number } = {},
): Promise<SubscriptionStatus[]> =>
  read(store, 's.name COLLATE "C" > $1 ORDER BY s.name COLLATE "C" LIMIT $2', [after, limit])

/** Those of some names, by name. Rejects with `StoreUnavailable`. */
export const readSubscriptionsNamed = (
  store: Store,
  names: readonly string[],
): Promise<SubscriptionStatus[]> => read(store, 's.name = ANY ($1) ORDER BY s.name COLLATE "C"', [names])

/** What they all are, by name, without how they stand: little to read. Rejects with `StoreUnavailable`. */
export const listSubscriptions = (store: Store): Promise<Subscription[]> =>
  find(store, 'true ORDER BY s.name COLLATE "C"', [])

/** What the one of a name is; `undefined` if there is none. Rejects with `StoreUnavailable`. */
export async function findSubscription(store: Store, name: string): Promise<Subscription | undefined> {
  const [subscription] = await find(store, 's.name = $1', [name])
  return subscription
}

async function find(store: Store, which: string, values: unknown[]): Promise<Subscription[]> {
  const { rows } = await store.pool
    .query<SubscriptionRow>(
      `SELECT ${subscriptionColumns} FROM subscriptions.subscriptions s WHERE ${which}`,
      values,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of subscriptions')
    })
  return rows.map(subscriptionOf)
}

/** The one of a name; `undefined` if there is none. Rejects with `StoreUnavailable`. */
export async function readSubscription(store: Store, name: string): Promise<SubscriptionStatus | undefined> {
  const [status] = await read(store, 's.name = $1', [name])
  return status
}

async function read(store: Store, which: string, values: unknown[]): Promise<SubscriptionStatus[]> {
  const { rows } = await store.pool
    .query<StatusRow>(
      `SELECT ${subscriptionColumns}, f.lag, f.outstanding, f.retrying, f.waiting, f.blocked, f.dead,
         f.oldest_unsettled_at::text AS oldest_unsettled_at, f.retry_due_at::text AS retry_due_at
       FROM subscriptions.subscriptions s CROSS JOIN LATERAL subscriptions.figures(s.id) f WHERE ${which}`,
      values,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of subscriptions')
    })
  return rows.map(statusOf)
}

function statusOf(row: StatusRow): SubscriptionStatus {
  const subscription = subscriptionOf(row)
  const { sources, payload } = subscription.filter
  return {
    ...subscription,
    lag: Number(row.lag),
    lagIsBound: sources !== undefined || payload !== undefined,
    outstanding: Number(row.outstanding),
    retrying: Number(row.retrying),
    waiting: Number(row.waiting),
    blocked: row.blocked,
    dead: Number(row.dead),
    oldestUnsettledAt: row.oldest_unsettled_at && utc(row.oldest_unsettled_at),
    retryDueAt: row.retry_due_at && utc(row.retry_due_at),
  }
}
