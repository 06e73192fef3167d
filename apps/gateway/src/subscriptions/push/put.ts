/** PUT /subscriptions/{name} of the kind push. */
import type { TopicPattern } from '@sekali/core/pattern'
import { putPush } from '@sekali/store/put-push'
import type { From, PutOutcome } from '@sekali/store/subscription-types'
import { seal, secretContext } from '@sekali/webhook/seal'
import { newSecret } from '@sekali/webhook/sign'
import type { Context } from 'hono'
import { byOf } from '../../access/by.ts'
import { refusalOfScope } from '../../access/may.ts'
import { grantOf } from '../../access/principals.ts'
import { problem } from '../../http/problem.ts'
import { toResponse } from '../../http/reply.ts'
import type { SubscriptionDeps } from '../deps.ts'
import { issuesOf, type NewPush, settingsOf } from './settings.ts'

export interface PutPush {
  readonly outcome: PutOutcome
  /** Shown if it is new, and never again. */
  readonly secret: string
}

/**
 * Puts it, or resolves with why that may not be. Whoever sets an endpoint has the events sent there, and so reads them:
 * `admin` alone will not do.
 */
export async function putPushed(
  { store, clients, webhooks }: Pick<SubscriptionDeps, 'store' | 'clients' | 'webhooks'>,
  c: Context,
  name: string,
  body: NewPush,
  { topics, from }: { readonly topics: TopicPattern; readonly from: From },
): Promise<PutPush | Response> {
  const grant = grantOf(c.env.incoming)
  if (!grant.scopes.includes('read')) return toResponse(refusalOfScope(grant, 'read'))
  const errors = issuesOf(body, webhooks)
  if (errors.length > 0) return problem('invalid_body', { errors })
  const { key } = webhooks
  if (key === undefined) return problem('no_webhook_key')
  const secret = newSecret()
  const config = {
    ...settingsOf(name, body, key),
    name,
    topics,
    order: body.order,
    filter: body.filter ?? {},
    from,
  }
  const by = byOf(c.env.incoming, clients)
  const outcome = await putPush(store, config, seal(key, secret, secretContext(name)), by)
  return { outcome, secret }
}
