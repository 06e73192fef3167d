/** Which subscriptions a key may see and work off: those whose topics it covers. */
import type { Grant } from '@sekali/core/access'
import { isTopicName } from '@sekali/core/event'
import type { Context } from 'hono'
import { forbidden, refusalOfPattern, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { problem } from '../http/problem.ts'
import { toResponse } from '../http/reply.ts'
import type { KnownSubscription, KnownSubscriptions } from './known.ts'

interface Asked {
  /** That of the path, if it is not said. */
  readonly name?: string
  /** Does the work if PostgreSQL has to be asked. */
  readonly read?: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * The subscription, if the key may use it; otherwise the answer, which to whoever may not see all topics is alike whether
 * there is one or not. Rejects with `StoreUnavailable`.
 */
export async function allowedSubscription(
  known: KnownSubscriptions,
  c: Context,
  { name = c.req.param('name') ?? '', read = (work) => work() }: Asked = {},
): Promise<KnownSubscription | Response> {
  const grant = grantOf(c.env?.incoming)
  if (!isTopicName(name)) return unknownSubscription(grant)
  const found = known.get(name) ?? (await read(() => known.read(name)))
  if (found === undefined) return unknownSubscription(grant)
  return refusalOfPattern(grant, found.topics) === undefined ? found : notCovered(grant)
}

export const unknownSubscription = (grant: Grant): Response =>
  seesAll(grant) ? problem('unknown_subscription') : notCovered(grant)

export const notCovered = (grant: Grant): Response => toResponse(forbidden(grant, nothingOfThisName))

const nothingOfThisName = 'No subscription of this name is only of topics that the key may use.'
