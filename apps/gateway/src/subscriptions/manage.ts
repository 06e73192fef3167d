/** What is shown of subscriptions, and what administrators do with them. */
import { Seek } from '@sekali/api/subscription'
import { listSubscriptions as listRoute } from '@sekali/api/subscriptions'
import { allowsPattern } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import {
  type NotChanged,
  pauseSubscription,
  removeSubscription,
  resumeSubscription,
  seekSubscription,
} from '@sekali/store/control-subscription'
import { listSubscriptions, readSubscription, readSubscriptionsNamed } from '@sekali/store/read-subscriptions'
import type { Context } from 'hono'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { grantOf } from '../access/principals.ts'
import { parseParameters } from '../http/parameters.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { allowedSubscription, unknownSubscription } from './allowed.ts'
import type { SubscriptionDeps } from './deps.ts'
import { describe, describeOne } from './described.ts'
import { parseFrom } from './from.ts'
import type { KnownSubscription } from './known.ts'

type ManageDeps = Pick<SubscriptionDeps, 'store' | 'subscriptions' | 'clients'>

/** GET /subscriptions: a page of those that the key covers. */
export function list({ store }: Pick<ManageDeps, 'store'>): Handler {
  return async (c) => {
    const { values, issues } = parseParameters(new URL(c.req.url).searchParams, listRoute.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const { after = '', limit } = values
    const grant = grantOf(c.env?.incoming)
    const covered = (await listSubscriptions(store))
      .filter(({ name, topics }) => name > after && allowsPattern(grant, parsePattern(topics)))
      .map(({ name }) => name)
    const names = covered.slice(0, limit)
    const page = names.length === 0 ? [] : await readSubscriptionsNamed(store, names)
    return reply(200, JSON.stringify(await describe(store, page)), {
      'Content-Type': 'application/json',
      ...(covered.length > limit && { Link: `<?limit=${limit}&after=${names.at(-1)}>; rel="next"` }),
    })
  }
}

/** GET /subscriptions/{name}. */
export function show(deps: ManageDeps): Handler {
  return async (c) => {
    const subscription = await allowedSubscription(deps.subscriptions.known, c)
    return subscription instanceof Response ? subscription : await shownNow(deps, c, subscription)
  }
}

/** How it stands now. */
export async function shownNow(
  { store, subscriptions: { known } }: ManageDeps,
  c: Context,
  { name }: Pick<KnownSubscription, 'name'>,
  { status = 200, headers = {}, secret }: Shown = {},
): Promise<Response> {
  const found = await readSubscription(store, name)
  const shown = found && (await describeOne(store, found))
  if (shown === undefined) return gone(known, c, name)
  const body = JSON.stringify({ ...shown, secret })
  return reply(status, body, { 'Content-Type': 'application/json', ...headers })
}

interface Shown {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Of an endpoint that has just been made. */
  readonly secret?: string | undefined
}

/** Somebody has deleted it meanwhile. */
function gone(known: ManageDeps['subscriptions']['known'], c: Context, name: string): Response {
  known.forget(name)
  return unknownSubscription(grantOf(c.env?.incoming))
}

/** POST /subscriptions/{name}/pause: nothing is handed out, and what workers have they can settle. */
export const pause = (deps: ManageDeps): Handler => changed(deps, pauseSubscription)

/** POST /subscriptions/{name}/resume. */
export const resume = (deps: ManageDeps): Handler => changed(deps, resumeSubscription)

const changed =
  (deps: ManageDeps, change: typeof pauseSubscription): Handler =>
  async (c) => {
    const { store, subscriptions, clients } = deps
    const subscription = await allowedSubscription(subscriptions.known, c)
    if (subscription instanceof Response) return subscription
    const { name } = subscription
    const outcome = await change(store, name, byOf(c.env?.incoming, clients))
    if (typeof outcome === 'string') return refusalOf(deps, c, name, outcome)
    subscriptions.pulls.onChanged(name)
    return await shownNow(deps, c, subscription)
  }

/** POST /subscriptions/{name}/seek. */
export function seek(deps: ManageDeps): Handler {
  const { store, subscriptions, clients } = deps
  return async (c) => {
    const body = parseBody(c.env.incoming, Seek)
    if ('refused' in body) return toResponse(body.refused)
    const subscription = await allowedSubscription(subscriptions.known, c)
    if (subscription instanceof Response) return subscription
    const { name, topics } = subscription
    const parsed = parseFrom(body.value.from, topics)
    if ('issue' in parsed) return problem('invalid_body', { errors: [parsed.issue] })
    const wanted = { name, topics: topics.text, from: parsed.from, dryRun: body.value.dry_run }
    const sought = await seekSubscription(store, wanted, byOf(c.env.incoming, clients))
    if (sought === 'cursor_ahead') return problem('cursor_ahead')
    if (typeof sought === 'string') return refusalOf(deps, c, name, sought)
    subscriptions.pulls.onChanged(name)
    const { outcome, ...counts } = sought
    return reply(200, JSON.stringify({ dry_run: outcome === 'would_move', ...counts }))
  }
}

/** DELETE /subscriptions/{name}. */
export function remove(deps: ManageDeps): Handler {
  const { store, subscriptions, clients } = deps
  return async (c) => {
    const subscription = await allowedSubscription(subscriptions.known, c)
    if (subscription instanceof Response) return subscription
    const { name } = subscription
    const outcome = await removeSubscription(store, name, byOf(c.env?.incoming, clients))
    if (outcome !== 'removed') return refusalOf(deps, c, name, outcome)
    subscriptions.known.forget(name)
    subscriptions.pulls.onChanged(name)
    return reply(200, JSON.stringify({ status: 'deleted', name }))
  }
}

const refusalOf = (deps: ManageDeps, c: Context, name: string, outcome: NotChanged): Response =>
  outcome === 'unknown' ? gone(deps.subscriptions.known, c, name) : toResponse(endedBearer())
