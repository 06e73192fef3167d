/** What requests are signed with: another one is made, or one is deleted. */
import { listSecrets, removeSecret, rotateSecret } from '@sekali/store/push-secrets'
import { seal, secretContext } from '@sekali/webhook/seal'
import { newSecret } from '@sekali/webhook/sign'
import { byOf } from '../../access/by.ts'
import { problem } from '../../http/problem.ts'
import { reply } from '../../http/reply.ts'
import type { Handler } from '../../http/router.ts'
import { allowedSubscription } from '../allowed.ts'
import type { SubscriptionDeps } from '../deps.ts'
import { refusalOf } from './only-push.ts'
import { numberOf } from './retry.ts'
import { shownSecret } from './shown.ts'

type Deps = Pick<SubscriptionDeps, 'store' | 'subscriptions' | 'clients' | 'webhooks'>

/** PostgreSQL's integer, which ids are. */
const idMax = 2 ** 31 - 1

/** POST /subscriptions/{name}/secrets: the answer is the only place that shows it. */
export function rotate(deps: Deps): Handler {
  const { store, subscriptions, clients, webhooks } = deps
  return async (c) => {
    const subscription = await allowedSubscription(subscriptions.known, c)
    if (subscription instanceof Response) return subscription
    if (subscription.kind !== 'push') return problem('not_push')
    if (webhooks.key === undefined) return problem('no_webhook_key')
    const { id, name } = subscription
    const secret = newSecret()
    const sealed = seal(webhooks.key, secret, secretContext(name))
    const rotated = await rotateSecret(store, name, sealed, byOf(c.env?.incoming, clients))
    if (rotated.outcome === 'too_many') return problem('too_many_secrets')
    if (rotated.outcome !== 'rotated') return refusalOf(deps, c, name, rotated.outcome)
    const secrets = (await listSecrets(store, id)).map(shownSecret)
    return reply(201, JSON.stringify({ id: rotated.id, secret, secrets }))
  }
}

/** DELETE /subscriptions/{name}/secrets/{id}. */
export function remove(deps: Deps): Handler {
  const { store, subscriptions, clients } = deps
  return async (c) => {
    const subscription = await allowedSubscription(subscriptions.known, c)
    if (subscription instanceof Response) return subscription
    if (subscription.kind !== 'push') return problem('not_push')
    const { name } = subscription
    const id = numberOf(c.req.param('id'))
    if (id === undefined || id > idMax) return problem('unknown_secret')
    const outcome = await removeSecret(store, name, id, byOf(c.env?.incoming, clients))
    switch (outcome) {
      case 'removed':
        return reply(200, JSON.stringify({ status: 'deleted', id }))
      case 'no_such_secret':
        return problem('unknown_secret')
      case 'last_one':
        return problem('last_secret')
      default:
        return refusalOf(deps, c, name, outcome)
    }
  }
}
