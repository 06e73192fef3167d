import { type Event, EventId, eventToJson, TopicName } from '@sekali/core/event'
import type { Store } from '@sekali/store/connect'
import { findEvent } from '@sekali/store/outcomes'
import type { Context } from 'hono'
import * as v from 'valibot'
import { refusalOfTopic } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Lookups } from './lookups.ts'
import type { StoreSlots } from './store-slots.ts'

export interface EventDeps {
  readonly store: Store
  readonly lookups: Lookups
  readonly clients: Clients
  readonly slots: StoreSlots
}

/**
 * GET /events/{topic}/{event_id}: the event, if it is stored; otherwise why it is not. Also at
 * /events/{topic}?event_id=, because a URL cannot have `.` and `..` in its path, and a proxy may change others.
 */
export function showEvent({ store, lookups, clients, slots }: EventDeps) {
  return async (c: Context): Promise<Response> => {
    const url = new URL(c.req.url)
    if (!c.req.param('event_id') && !url.searchParams.has('event_id')) return problem('not_found')
    const name = parseName(url)
    if (name === undefined) return problem('unknown_event', { in_flight: false })
    const { topic, eventId } = name
    const refused = refusalOfTopic(grantOf(c.env?.incoming), topic)
    if (refused !== undefined) return toResponse(refused)
    // A slot for each read: a look-up in Redis takes up to a second, and PostgreSQL has nothing to do meanwhile.
    const read = () => slots.run(c, () => findEvent(store, topic, eventId))
    const known = await read()
    if (known.event) return reply(200, eventToJson(known.event))
    // The event may have been stored between the two look-ups, so PostgreSQL is read once more.
    const inFlight = await lookups.isInFlight(clients.of(c.env.incoming), {
      ...name,
      position: known.position,
    })
    if (inFlight) return problem('event_in_flight')
    const { event, dead } = await read()
    if (event) return reply(200, eventToJson(event))
    if (dead) return problem('dead_event', { reason: dead.reason })
    return problem('unknown_event', { in_flight: inFlight ?? null })
  }
}

/** Hono's own parameters leave broken escapes as they are. */
function parseName({ pathname, searchParams }: URL): Pick<Event, 'topic' | 'eventId'> | undefined {
  const [, , topic = '', inPath] = pathname.split('/')
  try {
    const eventId = inPath === undefined ? searchParams.get('event_id') : decodeURIComponent(inPath)
    return {
      topic: v.parse(TopicName, decodeURIComponent(topic)),
      eventId: v.parse(EventId, eventId),
    }
  } catch {
    return undefined // no event can have that name
  }
}
