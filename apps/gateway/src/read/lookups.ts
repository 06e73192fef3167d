/**
 * Looks for events in Redis that PostgreSQL does not have yet. To look for one that is not there means to read all that
 * waits in its topic, up to a thousand packs, so this is done for few at a time, slowly, and for no longer than its
 * client waits: what is not found by then is unknown, not absent.
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
  /** Whether the event is in flight; undefined if that could not be told in time. Rejects with `Overloaded` or `ClientLimit`. */
  isInFlight(client: Client, lookup: Lookup): Promise<boolean | undefined>
}

/** Look-ups at a time, nearly all of which wait for those that read. */
const lookupsMax = 256
/** Two, so that who comes next is not of the client that has them both. */
const readsMax = 2

export function createLookups(
  { broker, log }: { readonly broker: Broker; readonly log: Logger },
  lookMs = 1_000,
): Lookups {
  const places = createBudget(lookupsMax, 'too many look-ups are under way')
  const reads = createSlots(readsMax)
  /** Those that have not begun: whoever looks for the same waits for them. One that has may be past the event. */
  const waiting = new Map<string, Promise<boolean | undefined>>()

  async function look(client: Client, { topic, eventId, position }: Lookup, key: string) {
    const timeUp = AbortSignal.timeout(lookMs)
    using _read = await reads.take(1, client)
    waiting.delete(key)
    return await isInFlight(broker, topic, position, eventId, timeUp)
  }

  return {
    async isInFlight(client, lookup) {
      using place = places.share(client)
      place.hold(1)
      const key = `${lookup.topic} ${lookup.eventId}`
      const under = waiting.get(key) ?? look(client, lookup, key)
      waiting.set(key, under)
      return await within(lookMs, log, under)
    },
  }
}
