/** POST /subscriptions/{name}/settle. */
import { Settle } from '@sekali/api/work'
import { grantOf } from '../access/principals.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { allowedSubscription, unknownSubscription } from './allowed.ts'
import type { SubscriptionDeps } from './deps.ts'

export function settle({
  subscriptions: { known, pulls, settles },
  clients,
  slots,
}: SubscriptionDeps): Handler {
  return async (c) => {
    const { incoming: request } = c.env
    const body = parseBody(request, Settle)
    if ('refused' in body) return toResponse(body.refused)
    const items = body.value.items.map(({ delay_s: delaySeconds, ...item }) => ({ ...item, delaySeconds }))
    const client = clients.of(request)
    const subscription = await allowedSubscription(known, c, { read: (work) => slots.run(c, work) })
    if (subscription instanceof Response) return subscription
    if (subscription.kind === 'push') return problem('not_pull')
    const { name } = subscription
    const results = await settles.settle(name, items, client)
    if (results === 'unknown') {
      known.forget(name)
      return unknownSubscription(grantOf(request))
    }
    pulls.onChanged(name)
    return reply(200, JSON.stringify({ items: results }))
  }
}
