/** What is done about one letter. */
import { Discard, PublishAs } from '@sekali/api/letter'
import type { Event, EventId, Source } from '@sekali/core/event'
import type { By } from '@sekali/store/audit'
import { discardDead, findDead } from '@sekali/store/dead-deliveries'
import { findLetter, type Letter, readConflict } from '@sekali/store/letters'
import { findEvent } from '@sekali/store/outcomes'
import { discardLetter, type NotSettled, publishConflictAs } from '@sekali/store/settle'
import type { DeadDelivery } from '@sekali/store/subscription-types'
import { endedBearer } from '../access/bearer.ts'
import { byOf } from '../access/by.ts'
import { parseBody } from '../http/parse-body.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { shownDelivery } from './deliveries.ts'
import type { LetterDeps } from './deps.ts'
import { allowedDelivery, allowedLetter } from './read.ts'
import { shownLetter } from './shown.ts'

/** POST /dead-letters/{id}/discard. */
export function discard(deps: LetterDeps): Handler {
  const { store, clients } = deps
  return async (c) => {
    const body = parseBody(c.env.incoming, Discard)
    if ('refused' in body) return toResponse(body.refused)
    const by = byOf(c.env.incoming, clients)
    const dead = await allowedDelivery(deps, c)
    if (dead instanceof Response) return dead
    if (dead !== undefined) return await discardDelivery(deps, dead, body.value.reason, by)
    const letter = await allowedLetter(deps, c)
    if (letter instanceof Response) return letter
    const outcome = await discardLetter(store, letter, body.value.reason, by)
    return outcome === 'discarded' ? await shownNow(deps, letter) : refusalOf(outcome)
  }
}

async function discardDelivery(
  { store }: LetterDeps,
  dead: DeadDelivery,
  reason: string,
  by: By,
): Promise<Response> {
  const outcome = await discardDead(store, dead.id, reason, by)
  if (outcome === 'unknown' || outcome === 'settled' || outcome === 'actor_ended') return refusalOf(outcome)
  return reply(200, JSON.stringify(shownDelivery((await findDead(store, dead.id)) ?? dead)))
}

/** POST /dead-letters/{id}/publish-as: the content of a conflict becomes an event of its own. */
export function publishAs(deps: LetterDeps): Handler {
  const { store, clients, appender, pressure } = deps
  return async (c) => {
    const body = parseBody(c.env.incoming, PublishAs)
    if ('refused' in body) return toResponse(body.refused)
    const dead = await allowedDelivery(deps, c)
    if (dead !== undefined) return dead instanceof Response ? dead : problem('not_a_conflict')
    const letter = await allowedLetter(deps, c)
    if (letter instanceof Response) return letter
    if (letter.kind !== 'conflict') return problem('not_a_conflict')
    if (letter.settled !== undefined) return problem('letter_settled')
    const event = await eventAs(deps, letter, body.value.event_id as EventId)
    if (event === undefined) return problem('letter_not_kept')
    const { event: known } = await findEvent(store, letter.topic, event.eventId)
    // The same content is there if this was asked before and the answer was lost.
    if (known !== undefined && !isSame(known, event)) return problem('event_id_taken', { seq: known.seq })
    pressure.admit([event])
    const append = () => appender.append(event)
    const by = byOf(c.env.incoming, clients)
    const outcome = await publishConflictAs(store, letter.number, event.eventId, append, by)
    return outcome === 'published_as' ? await shownNow(deps, letter) : refusalOf(outcome)
  }
}

async function eventAs(
  { store }: LetterDeps,
  { topic, number }: Letter,
  eventId: EventId,
): Promise<Event | undefined> {
  const { received } = await readConflict(store, number)
  return received === null ? undefined : { topic, eventId, ...received, source: received.source as Source }
}

const isSame = (a: Event, b: Event): boolean =>
  a.timestamp === b.timestamp && a.source === b.source && a.payload === b.payload

function refusalOf(outcome: NotSettled): Response {
  if (outcome === 'actor_ended') return toResponse(endedBearer())
  return problem(outcome === 'unknown' ? 'unknown_letter' : 'letter_settled')
}

async function shownNow({ store }: LetterDeps, letter: Letter): Promise<Response> {
  return reply(200, JSON.stringify(shownLetter((await findLetter(store, letter)) ?? letter)))
}
