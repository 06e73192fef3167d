/** POST /subscriptions/{name}/deliveries/{topic}/{seq}/retry: one event is sent again. */
import { isTopicName, type TopicName } from '@sekali/core/event'
import { redeliver } from '@sekali/store/redeliver'
import { byOf } from '../../access/by.ts'
import { problem } from '../../http/problem.ts'
import { reply } from '../../http/reply.ts'
import type { Handler } from '../../http/router.ts'
import { allowedSubscription } from '../allowed.ts'
import type { SubscriptionDeps } from '../deps.ts'
import { refusalOf } from './only-push.ts'

export function retry(deps: Pick<SubscriptionDeps, 'store' | 'subscriptions' | 'clients'>): Handler {
  const { store, subscriptions, clients } = deps
  return async (c) => {
    const subscription = await allowedSubscription(subscriptions.known, c)
    if (subscription instanceof Response) return subscription
    if (subscription.kind !== 'push') return problem('not_push')
    const { name } = subscription
    const [topic, seq] = [c.req.param('topic') ?? '', numberOf(c.req.param('seq'))]
    if (!isTopicName(topic) || seq === undefined) return problem('unknown_delivery')
    const outcome = await redeliver(
      store,
      { name, topic: topic as TopicName, seq },
      byOf(c.env?.incoming, clients),
    )
    switch (outcome) {
      case 'queued':
        return reply(202, JSON.stringify({ status: 'queued', name, topic, seq }))
      case 'not_found':
        return problem('unknown_delivery')
      case 'too_many':
        return problem('too_many_retries')
      case 'settled':
        return problem('letter_settled')
      case 'not_yet':
      case 'in_flight':
        return problem('delivery_under_way')
      default:
        return refusalOf(deps, c, name, outcome)
    }
  }
}

/** A seq or an id of the path. What is none names nothing. */
export function numberOf(text = ''): number | undefined {
  const number = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}
