/**
 * Looks for events in Redis that PostgreSQL does not have yet. A look-up of an event that is not there reads all that waits
 * in its topic, up to a thousand packs. So few look-ups run at a time, and none runs longer than its client waits: an event
 * that is not found by then is unknown, not absent.
 */
import type { Broker } from '@sekali/broker/connect'
import { isInFlight } from '@sekali/broker/in-flight'
import type { EventId, TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Logger } from '@sekali/process/log'
import { createBudget } from '../clients/budget.ts'
import type { Client } from '../clients/clients.ts'
import { within } from '../clients/deadline.ts'
import { createSlots } from '../clients/slots.ts'

interface Lookup {
  readonly topic: TopicName
  readonly eventId: EventId
  /** Up to here the topic was accounted for when the event was not in PostgreSQL. */
  readonly position: Position
}

export interface Lookups {
  /** Whether the event is in flight; undefined if the time was too short. Rejects with `Overloaded` or `ClientLimit`. */
  isInFlight(client: Client, lookup: Lookup): Promise<boolean | undefined>
}

/** Look-ups at a time, nearly all of which wait for those that read. */
const lookupsMax = 256
/** Two, so that one client that has a long read does not keep all others waiting. */
const readsMax = 2

export function createLookups(
  { broker, log }: { readonly broker: Broker; readonly log: Logger },
  lookupMs = 1_000,
): Lookups {
  const room = createBudget(lookupsMax, 'too many look-ups are under way')
  const reads = createSlots(readsMax)
  /** Look-ups that have not begun: all who look for the same event share one. One that has begun may be past the event. */
  const waiting = new Map<string, Promise<boolean | undefined>>()

  async function lookUp(client: Client, { topic, eventId, position }: Lookup, key: string) {
    const timeUp = AbortSignal.timeout(lookupMs)
    using _read = await reads.take(1, client)
    waiting.delete(key)
    return await isInFlight(broker, topic, position, eventId, timeUp)
  }

  return {
    async isInFlight(client, lookup) {
      using share = room.share(client)
      share.hold(1)
      const key = `${lookup.topic} ${lookup.eventId}`
      const under = waiting.get(key) ?? lookUp(client, lookup, key)
      waiting.set(key, under)
      return await within(lookupMs, log, under)
    },
  }
}
