import { readEndpoints } from '@sekali/store/endpoints'
import type { Endpoint } from '@sekali/store/push-types'
import type { Context } from 'hono'
import { endedBearer } from '../../access/bearer.ts'
import { grantOf } from '../../access/principals.ts'
import { problem } from '../../http/problem.ts'
import { toResponse } from '../../http/reply.ts'
import { allowedSubscription, unknownSubscription } from '../allowed.ts'
import type { SubscriptionDeps } from '../deps.ts'
import type { KnownSubscription } from '../known.ts'

type Deps = Pick<SubscriptionDeps, 'store' | 'subscriptions'>

interface Pushed {
  readonly subscription: KnownSubscription
  readonly endpoint: Endpoint
}

/** The subscription of the path with its endpoint, if the key may use it and it has one; otherwise the answer. */
export async function allowedPush(
  { store, subscriptions: { known } }: Deps,
  c: Context,
): Promise<Pushed | Response> {
  const subscription = await allowedSubscription(known, c)
  if (subscription instanceof Response) return subscription
  const endpoint = (await readEndpoints(store, [subscription.id])).get(subscription.id)
  if (endpoint !== undefined) return { subscription, endpoint }
  // Of another kind; or it has just been deleted, and perhaps made anew.
  known.forget(subscription.name)
  const now = await known.read(subscription.name)
  return now === undefined ? unknownSubscription(grantOf(c.env?.incoming)) : problem('not_push')
}

/** What can keep a change from being made, whatever it is. */
export type NotDone = 'unknown' | 'not_push' | 'actor_ended'

export function refusalOf({ subscriptions: { known } }: Deps, c: Context, name: string, outcome: NotDone) {
  if (outcome === 'actor_ended') return toResponse(endedBearer())
  known.forget(name)
  return outcome === 'not_push' ? problem('not_push') : unknownSubscription(grantOf(c.env?.incoming))
}
