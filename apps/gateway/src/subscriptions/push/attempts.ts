/** GET /subscriptions/{name}/attempts: what was sent, and what came back. */
import { listAttempts as route } from '@sekali/api/push'
import type { TopicName } from '@sekali/core/event'
import { readAttempts } from '@sekali/store/attempts'
import { grantOf } from '../../access/principals.ts'
import { parseParameters } from '../../http/parameters.ts'
import { problem } from '../../http/problem.ts'
import { reply } from '../../http/reply.ts'
import type { Handler } from '../../http/router.ts'
import type { SubscriptionDeps } from '../deps.ts'
import { allowedPush } from './only-push.ts'
import { shownAttempt } from './shown.ts'

export function attempts(deps: Pick<SubscriptionDeps, 'store' | 'subscriptions'>): Handler {
  return async (c) => {
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, route.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const pushed = await allowedPush(deps, c)
    if (pushed instanceof Response) return pushed
    const { limit, after: before, topic, ...wanted } = values
    const found = await readAttempts(deps.store, {
      ...wanted,
      topic: topic as TopicName | undefined,
      subscription: pushed.subscription.id,
      before,
      limit: limit + 1,
      within: grantOf(c.env?.incoming).topics,
    })
    const page = found.slice(0, limit)
    const next = new URLSearchParams(query)
    next.set('after', String(page.at(-1)?.id))
    return reply(200, JSON.stringify(page.map(shownAttempt)), {
      'Content-Type': 'application/json',
      ...(found.length > limit && { Link: `<?${next}>; rel="next"` }),
    })
  }
}
