/** Subscriptions that workers pull from, and what was pulled, as answers have them. */
import type { Blocking, PulledJson, SubscriptionStatus } from '@sekali/store/subscription-types'

export const shownPull = (one: SubscriptionStatus) => ({
  ...shownShape(one),
  source_batch: one.sourceBatch,
  lease_s: one.leaseSeconds,
  outstanding_max: one.outstandingMax,
  deliveries_max: one.deliveriesMax,
  backoff_s: one.backoffSeconds,
  on_exhausted: one.onExhausted,
  state: one.state,
  ...shownStatus(one),
})

/** What one is about, of whatever kind. */
export function shownShape({ name, kind, topics, order, filter }: SubscriptionStatus) {
  const isFiltered = filter.sources !== undefined || filter.payload !== undefined
  return { name, kind, topics, order, filter: isFiltered ? filter : undefined }
}

/** How far one is, of whatever kind. */
export const shownStatus = (one: SubscriptionStatus) => ({
  lag: one.lag,
  lag_is_bound: one.lagIsBound,
  outstanding: one.outstanding,
  retrying: one.retrying,
  waiting: one.waiting,
  dead: one.dead,
  blocked: one.blocked.map(shownBlocking),
  oldest_unsettled_at: one.oldestUnsettledAt,
  created_at: one.createdAt,
  created_by: one.createdBy,
  changed_at: one.changedAt,
})

export const shownBlocking = ({ topic, source }: Blocking) => ({ topic, source: source ?? undefined })

/** By concatenation, because payloads must not be parsed and printed. PostgreSQL has made the text of the items. */
export const pulledJson = ({ items, grant, leaseUntil, leaseSeconds }: PulledJson): string =>
  `{"items":[${items.map(({ json }) => json).join(',')}],"token":"${grant}","lease_until":"${leaseUntil}","lease_s":${leaseSeconds}}`
