/** Push subscriptions without a gateway, and what has become of them. */
import { parsePattern } from '@sekali/core/pattern'
import { readAttempts } from '@sekali/store/attempts'
import type { Store } from '@sekali/store/connect'
import { listDead } from '@sekali/store/dead-deliveries'
import { readEndpoints } from '@sekali/store/endpoints'
import type { Attempt, Endpoint, PushConfig } from '@sekali/store/push-types'
import { putPush } from '@sekali/store/put-push'
import { readSubscription } from '@sekali/store/read-subscriptions'
import type { DeadDelivery, SubscriptionStatus } from '@sekali/store/subscription-types'

const everything = [parsePattern('>')]
const shownMax = 10_000

/** Makes one to `orders` from the start on, or changes it. The secret is sealed by whoever sends with it. */
export async function putEndpoint(
  store: Store,
  wanted: Pick<PushConfig, 'name' | 'url'> & Partial<PushConfig>,
  sealedSecret: Buffer,
): Promise<void> {
  const config: PushConfig = {
    topics: parsePattern('orders'),
    from: 'start',
    order: 'none',
    filter: {},
    headers: null,
    concurrency: 10,
    ratePerSecond: null,
    timeoutSeconds: 5,
    body: 'standard',
    batchMax: 1,
    retrySeconds: [1, 1, 1],
    onExhausted: 'skip',
    ...wanted,
  }
  const { outcome } = await putPush(store, config, sealedSecret, { actor: 'test' })
  if (outcome === 'immutable' || !/^(created|changed|same)$/.test(outcome)) throw new Error(outcome)
}

export async function statusOf(store: Store, name: string): Promise<SubscriptionStatus> {
  const status = await readSubscription(store, name)
  if (status === undefined) throw new Error(`no subscription ${name}`)
  return status
}

export async function endpointOf(store: Store, name: string): Promise<Endpoint> {
  const { id } = await statusOf(store, name)
  const endpoint = (await readEndpoints(store, [id])).get(id)
  if (endpoint === undefined) throw new Error(`no endpoint ${name}`)
  return endpoint
}

/** Newest first. */
export async function attemptsOf(store: Store, name: string): Promise<Attempt[]> {
  const { id } = await statusOf(store, name)
  return readAttempts(store, { subscription: id, within: everything, limit: shownMax })
}

export const deadOf = (store: Store, subscription: string): Promise<DeadDelivery[]> =>
  listDead(store, { subscription, within: everything, limit: shownMax })
