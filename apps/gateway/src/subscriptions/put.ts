/** PUT /subscriptions/{name}: makes one, or changes what can be changed of it. */
import { NewSubscription } from '@sekali/api/subscription'
import type { Grant } from '@sekali/core/access'
import type { Issue } from '@sekali/core/errors'
import { isTopicName } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import { putSubscription } from '@sekali/store/put-subscription'
import type { From, PutOutcome, SubscriptionConfig } from '@sekali/store/subscription-types'
import type { Context } from 'hono'
import type * as v from 'valibot'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { refusalOfPattern } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { notCovered } from './allowed.ts'
import type { SubscriptionDeps } from './deps.ts'
import { parseFrom } from './from.ts'
import { shownNow } from './manage.ts'
import { putPushed } from './push/put.ts'

type PutDeps = Pick<SubscriptionDeps, 'store' | 'subscriptions' | 'clients' | 'webhooks'>

export function put(deps: PutDeps): Handler {
  const { subscriptions } = deps
  return async (c) => {
    const body = parseBody(c.env.incoming, NewSubscription)
    if ('refused' in body) return toResponse(body.refused)
    const name = c.req.param('name') ?? ''
    if (!isTopicName(name)) return problem('invalid_body', { errors: [badName] })
    const grant = grantOf(c.env.incoming)
    const topics = parsePattern(body.value.topics)
    const refused = refusalOfPattern(grant, topics)
    if (refused !== undefined) return toResponse(refused)
    const parsed = parseFrom(body.value.from, topics)
    if ('issue' in parsed) return problem('invalid_body', { errors: [parsed.issue] })
    const put =
      body.value.kind === 'push'
        ? await putPushed(deps, c, name, body.value, { topics, from: parsed.from })
        : await putPulled(deps, c, configOf(name, body.value, parsed.from))
    if (put instanceof Response) return put
    const { outcome, secret } = put
    const refusal = refusalOf(outcome, grant)
    if (refusal !== undefined) return refusal
    subscriptions.known.forget(name)
    subscriptions.pulls.onChanged(name)
    const isNew = outcome.outcome === 'created'
    // Relative, for a proxy may have put a prefix before the path.
    return await shownNow(
      deps,
      c,
      { name },
      isNew ? { status: 201, headers: { Location: name }, secret } : {},
    )
  }
}

const putPulled = async ({ store, clients }: PutDeps, c: Context, config: SubscriptionConfig) => ({
  outcome: await putSubscription(store, config, byOf(c.env.incoming, clients)),
  secret: undefined,
})

function refusalOf(put: PutOutcome, grant: Grant): Response | undefined {
  switch (put.outcome) {
    case 'actor_ended':
      return toResponse(endedBearer())
    case 'too_many':
      return problem('too_many_subscriptions')
    case 'cursor_ahead':
      return problem('cursor_ahead')
    case 'immutable':
      return refusalOfPattern(grant, parsePattern(put.subscription.topics)) === undefined
        ? problem('immutable_field', { errors: [fixed(put.field)], detail: immutable(put.field) })
        : notCovered(grant)
    default:
      return undefined
  }
}

const badName: Issue = {
  path: 'name',
  code: 'invalid_name',
  message: 'of the path must be segments of A-Z a-z 0-9 _ - joined by dots, 128 characters at most',
}

const immutable = (field: string): string =>
  `The subscription is there with another ${field}, which cannot be changed. Delete it, or choose another name.`

const fixed = (field: string): Issue => ({
  path: field,
  code: 'immutable_field',
  message: 'is another than that of the subscription, and cannot be changed',
})

function configOf(
  name: string,
  { topics, filter, ...rest }: Extract<v.InferOutput<typeof NewSubscription>, { kind: 'pull' }>,
  from: From,
): SubscriptionConfig {
  return {
    name,
    kind: rest.kind,
    topics: parsePattern(topics),
    order: rest.order,
    filter: filter ?? {},
    sourceBatch: rest.source_batch,
    from,
    leaseSeconds: rest.lease_s,
    outstandingMax: rest.outstanding_max,
    deliveriesMax: rest.deliveries_max,
    backoffSeconds: rest.backoff_s,
    onExhausted: rest.on_exhausted,
  }
}
