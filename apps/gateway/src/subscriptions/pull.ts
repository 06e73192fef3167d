/**
 * POST /subscriptions/{name}/pull: events to work on, or the answer that there are none. Who waits is counted among the
 * tails, which have room of their own, and takes neither a connection of PostgreSQL nor room for an answer meanwhile.
 *
 * What was pulled and does not reach its client whole is given back at once. What has reached the client's machine is its own:
 * if it dies there, the lease has to run out.
 */
import type { ServerResponse } from 'node:http'
import { Pull } from '@sekali/api/work'
import { allowsTopic, type Grant } from '@sekali/core/access'
import type { Blocking, PulledJson } from '@sekali/store/subscription-types'
import type { Context } from 'hono'
import { endedBearer } from '../access/bearer.ts'
import { seesAll } from '../access/may.ts'
import { principalOf } from '../access/principals.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { type Answer, answer, reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { allowedSubscription, notCovered, unknownSubscription } from './allowed.ts'
import type { SubscriptionDeps } from './deps.ts'
import type { KnownSubscription } from './known.ts'
import type { Place } from './line.ts'
import { pulledJson, shownBlocking } from './shown.ts'
import { watchStay } from './stay.ts'

export function pull(deps: SubscriptionDeps): Handler {
  const { subscriptions, connections, signal, random } = deps
  return async (c) => {
    const { incoming: request, outgoing: response } = c.env
    const body = parseBody(request, Pull)
    if ('refused' in body) return toResponse(body.refused)
    const inShare: Place['inShare'] = (work) => subscriptions.slots.run(c, work)
    const subscription = await allowedSubscription(subscriptions.known, c, { read: inShare })
    if (subscription instanceof Response) return subscription
    if (subscription.kind === 'push') return problem('not_pull')
    const { max, bytes_max: bytesMax, wait_s: waitSeconds, worker } = body.value
    // Where the process is to leave, the line answers at once.
    const waits = waitSeconds > 0 && !signal.aborted
    if (waits && !becomesTail(connections, response)) return problem('too_many_tails', { random })
    using stay = watchStay(c)
    const served = await subscriptions.pulls.join(subscription, {
      request: { name: subscription.name, max, bytesMax, worker },
      waitMs: waitSeconds * 1_000,
      signal: stay.signal,
      inShare,
    })
    switch (served.outcome) {
      case 'pulled':
        return handOut(deps, c, subscription, served.pulled)
      case 'nothing':
        return nothing(served.blockedBy, waits)
      case 'paused':
        return problem('subscription_paused', { random })
      case 'push':
        subscriptions.known.forget(subscription.name) // it was made anew
        return problem('not_pull')
      case 'left':
        return toResponse(endedBearer()) // a client that has left gets no answer
      case 'unknown':
        subscriptions.known.forget(subscription.name)
        return unknownSubscription(principalOf(request).grant)
    }
  }
}

/** A test may ask without a connection. */
const becomesTail = (connections: SubscriptionDeps['connections'], response?: ServerResponse): boolean =>
  !response?.socket || connections.becomeTail(response.socket)

/** The answer with the events; or they are given back, if it cannot go out. */
function handOut(
  { subscriptions: { pulls, known }, responses }: SubscriptionDeps,
  { env: { incoming: request, outgoing: response } }: Context,
  { name }: KnownSubscription,
  pulled: PulledJson,
): Response {
  const { grant, life } = principalOf(request)
  const release = () => pulls.release(name, pulled)
  const refuse = (refusal: Response): Response => {
    release()
    return refusal
  }
  if (life.over !== undefined) return refuse(toResponse(endedBearer()))
  if (!coversAll(grant, pulled)) {
    known.forget(name) // it was made anew, of other topics
    return refuse(notCovered(grant))
  }
  try {
    const whole = answer(200, pulledJson(pulled))
    if (response === undefined) return toResponse(whole)
    return toResponse(sentOrReleased(response, responses.count(request, response, whole), release))
  } catch (error) {
    release()
    throw error
  }
}

const coversAll = (grant: Grant, { items }: PulledJson): boolean =>
  seesAll(grant) || items.every(({ topic }) => allowsTopic(grant, topic))

function sentOrReleased(response: ServerResponse, whole: Answer, release: () => void): Answer {
  if (response.destroyed) {
    release()
    return whole
  }
  // Not `writableFinished`, which is true of a response whose socket was destroyed with what waited in it.
  response.once('finish', () => response.off('close', release))
  response.once('close', release)
  return whole
}

/** Who has waited may ask again at once, as the next wait is no more work. */
function nothing(blockedBy: readonly Blocking[], hasWaited: boolean): Response {
  const headers = { 'Retry-After': hasWaited ? '0' : '1' }
  if (blockedBy.length === 0) return reply(204, null, headers)
  return reply(200, JSON.stringify({ items: [], blocked_by: blockedBy.map(shownBlocking) }), {
    'Content-Type': 'application/json',
    ...headers,
  })
}
