/**
 * How subscriptions stand, read at each scrape from what `GET /subscriptions` reads. Administrators alone make them, so each has
 * series of its own.
 */
import type { Metrics, Sample } from '@sekali/process/metrics'
import type { Endpoint } from '@sekali/store/push-types'
import type { SubscriptionStatus } from '@sekali/store/subscription-types'
import { oldestSecondsOf, type SubscriptionsNow } from '../operate/subscriptions-now.ts'

/** `now` is undefined if it could not be read. */
export function addSubscriptions({ read }: Metrics, now: () => SubscriptionsNow | undefined): void {
  const gauge = (
    name: string,
    help: string,
    figure: (one: SubscriptionStatus, nowMs: number) => number,
  ): void => {
    const samples = (): Sample[] => {
      const { all = [], nowMs = 0 } = now() ?? {}
      return all.map((one) => ({ labels: { subscription: one.name }, value: figure(one, nowMs) }))
    }
    read('gauge', [`sekali_subscription_${name}`, help], samples, ['subscription'])
  }
  gauge(
    'lag_events',
    'Events behind the floors of a subscription; with a filter also those that do not match.',
    ({ lag }) => lag,
  )
  gauge('outstanding_events', 'Events that workers have.', ({ outstanding }) => outstanding)
  gauge('retrying_events', 'Events that are handed out again later.', ({ retrying }) => retrying)
  gauge('waiting_events', 'Events that wait for others of their source or topic.', ({ waiting }) => waiting)
  gauge('dead_letters', 'Dead letters of a subscription that nobody has dealt with.', ({ dead }) => dead)
  gauge('blocked', 'Sources or topics that stand behind a dead letter, at most 10.', ({ blocked }) => {
    return blocked.length
  })
  gauge(
    'oldest_unsettled_seconds',
    'For how long the oldest event that is not settled has been stored; 0 if all are.',
    oldestSecondsOf,
  )
  gauge('paused', 'Whether a subscription is paused.', ({ state }) => Number(state === 'paused'))
  addEndpoints({ read }, now)
}

function addEndpoints({ read }: Pick<Metrics, 'read'>, now: () => SubscriptionsNow | undefined): void {
  const gauge = (name: string, help: string, figure: (endpoint: Endpoint) => number): void => {
    const samples = (): Sample[] => {
      const { all = [], endpoints } = now() ?? {}
      return all.flatMap(({ id, name: subscription }) => {
        const endpoint = endpoints?.get(id)
        return endpoint === undefined ? [] : [{ labels: { subscription }, value: figure(endpoint) }]
      })
    }
    read('gauge', [`sekali_subscription_endpoint_${name}`, help], samples, ['subscription'])
  }
  gauge('disabled', 'Whether the endpoint of a subscription is disabled.', ({ state }) =>
    Number(state === 'disabled'),
  )
  gauge('failures', 'Failures of an endpoint since its last success.', ({ failures }) => failures)
  const live = (): Sample[] => {
    const { dispatchers } = now() ?? {}
    return dispatchers === undefined ? [] : [{ value: dispatchers }]
  }
  read('gauge', ['sekali_dispatchers', 'Dispatchers at work.'], live)
}
