/**
 * Appends a batch in portions, each of which Redis has before the next is sent. A topic's events go to Redis in the order
 * in which they came, so an event waits for all that came before it to its topic. With whole batches that could be all
 * that bodies may hold, and took ten seconds; now it is one portion for each client that has a slot.
 */
import type { AppendedAt, Appender } from '@sekali/broker/append'
import type { Event } from '@sekali/core/event'
import type { Client } from '../clients/clients.ts'
import { createSlots } from '../clients/slots.ts'

/** Appends like the appender, and stops at the first portion that fails. */
export type AppendPortions = (
  client: Client,
  events: readonly Event[],
  append: Appender['appendWithPositions'] | Appender['appendAll'],
) => Promise<AppendedAt>

const portionEventsMax = 1_000
const portionCharsMax = 512 * 1024
/** Portions of batches at a time. */
const portionsMax = 4

export function createAppendPortions(): AppendPortions {
  const slots = createSlots(portionsMax)
  return async (client, events, append) => {
    const positions: AppendedAt['positions'][number][] = []
    let queued = 0
    for (const portion of portionsOf(events)) {
      using _slot = await slots.take(1, client)
      const appended = await append(portion)
      queued += appended.queued
      if ('positions' in appended) positions.push(...(appended as AppendedAt).positions)
      if (appended.failure) return { queued, failure: appended.failure, positions }
    }
    return { queued, failure: undefined, positions }
  }
}

function* portionsOf(events: readonly Event[]): Generator<readonly Event[]> {
  let from = 0
  let chars = 0
  for (const [index, { payload }] of events.entries()) {
    chars += payload.length
    if (index + 1 - from < portionEventsMax && chars < portionCharsMax) continue
    yield events.slice(from, index + 1)
    from = index + 1
    chars = 0
  }
  if (from < events.length) yield events.slice(from)
}
