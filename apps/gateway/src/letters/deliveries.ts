/** Dead deliveries as letters: events that the workers of a subscription could not do. A key sees those of its subscriptions. */
import { allowsPattern, type Grant } from '@sekali/core/access'
import { letterIdText } from '@sekali/core/letter'
import { parsePattern } from '@sekali/core/pattern'
import type { Store } from '@sekali/store/connect'
import { deadReasonOf, findDead, wordsOf } from '@sekali/store/dead-deliveries'
import { findEvent } from '@sekali/store/outcomes'
import { listSubscriptions } from '@sekali/store/read-subscriptions'
import type { DeadDelivery } from '@sekali/store/subscription-types'
import { seesAll } from '../access/may.ts'
import { eventJson } from './content.ts'

export function shownDelivery(dead: DeadDelivery) {
  const { id, state, settledAt, settledBy, settledReason } = dead
  return {
    id: letterIdText({ kind: 'delivery', number: id }),
    kind: 'delivery' as const,
    topic: dead.topic,
    event_id: dead.eventId,
    reason: deadReasonOf(dead),
    seq: dead.seq,
    subscription: dead.subscription,
    attempts: dead.attempts,
    said: wordsOf(dead),
    received_at: dead.at,
    stored_at: dead.at,
    kept: dead.eventId !== null,
    state: state === 'open' ? ('open' as const) : ('settled' as const),
    settled:
      state === 'open'
        ? undefined
        : { became: state, at: settledAt, by: settledBy, reason: settledReason ?? undefined },
  }
}

/** The names of the subscriptions whose dead deliveries a key sees; undefined if it is all of them. */
export async function coveredSubscriptions(store: Store, grant: Grant): Promise<string[] | undefined> {
  if (seesAll(grant)) return undefined
  const all = await listSubscriptions(store)
  return all.filter(({ topics }) => allowsPattern(grant, parsePattern(topics))).map(({ name }) => name)
}

/** The one of an id, if the key may see it; undefined otherwise, as if there were none. */
export async function findAllowedDead(
  store: Store,
  grant: Grant,
  id: number,
): Promise<DeadDelivery | undefined> {
  const dead = await findDead(store, id)
  if (dead === undefined) return undefined
  const covered = await coveredSubscriptions(store, grant)
  return covered === undefined || covered.includes(dead.subscription) ? dead : undefined
}

/** The event, as a member of the letter; none if it is gone. */
export async function deliveryMembers(store: Store, { topic, eventId }: DeadDelivery): Promise<string[]> {
  if (eventId === null) return []
  const { event } = await findEvent(store, topic, eventId as Parameters<typeof findEvent>[2])
  return event === undefined ? [] : [`"event":${eventJson(event)}`]
}
