/** How subscriptions stand, of whatever kind, as answers have them. */

import { readSuccess } from '@sekali/store/attempts'
import type { Store } from '@sekali/store/connect'
import { readEndpoints } from '@sekali/store/endpoints'
import { listSecrets } from '@sekali/store/push-secrets'
import type { SubscriptionStatus } from '@sekali/store/subscription-types'
import { shownPush, shownSecret } from './push/shown.ts'
import { shownPull } from './shown.ts'

/** In their order. One whose endpoint has gone meanwhile is left out. Rejects with `StoreUnavailable`. */
export async function describe(store: Store, all: readonly SubscriptionStatus[]): Promise<object[]> {
  const ids = all.filter(({ kind }) => kind === 'push').map(({ id }) => id)
  if (ids.length === 0) return all.map(shownPull)
  const [endpoints, success] = await Promise.all([readEndpoints(store, ids), readSuccess(store, ids)])
  return all.flatMap((one): object[] => {
    if (one.kind === 'pull') return [shownPull(one)]
    const endpoint = endpoints.get(one.id)
    return endpoint === undefined ? [] : [shownPush(one, endpoint, success.get(one.id))]
  })
}

/** One, and of an endpoint also which secrets it has. */
export async function describeOne(store: Store, one: SubscriptionStatus): Promise<object | undefined> {
  const [described] = await describe(store, [one])
  if (described === undefined || one.kind === 'pull') return described
  return { ...described, secrets: (await listSecrets(store, one.id)).map(shownSecret) }
}
