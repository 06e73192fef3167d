/**
 * Appends a batch in portions, each of which Redis has before the next is sent. A topic's events go to Redis in the order
 * in which they came, so an event waits for all that came before it to its topic: for one portion of each client that
 * has a slot, and not for whole batches.
 */
import type { Appended, Appender } from '@sekali/broker/append'
import type { Event } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Client } from '../clients/clients.ts'
import { createSlots } from '../clients/slots.ts'

/** Appends for a client, and stops at the first portion that fails. */
export interface AppendPortions {
  readonly appendAll: ForClient<Appender['appendAll']>
  /** The positions are those of the portions that were sent. */
  readonly appendWithPositions: ForClient<Appender['appendWithPositions']>
}

type ForClient<Append extends (events: readonly Event[]) => unknown> = (
  client: Client,
  events: readonly Event[],
  traceparent?: string,
) => ReturnType<Append>

const portionEventsMax = 1_000
const portionCharsMax = 512 * 1024
/** Portions of batches at a time. */
const portionsMax = 4

export function createAppendPortions(appender: Omit<Appender, 'append'>): AppendPortions {
  const slots = createSlots(portionsMax)

  async function appendEach(
    client: Client,
    events: readonly Event[],
    append: (portion: readonly Event[]) => Promise<Appended>,
  ): Promise<Appended> {
    let queued = 0
    for (const portion of portionsOf(events)) {
      using _slot = await slots.take(1, client)
      const appended = await append(portion)
      queued += appended.queued
      if (appended.failure) return { queued, failure: appended.failure }
    }
    return { queued, failure: undefined }
  }

  return {
    appendAll: (client, events, traceparent) =>
      appendEach(client, events, (portion) => appender.appendAll(portion, traceparent)),
    async appendWithPositions(client, events, traceparent) {
      const positions: (Position | undefined)[] = []
      const appended = await appendEach(client, events, async (portion) => {
        const sent = await appender.appendWithPositions(portion, traceparent)
        positions.push(...sent.positions)
        return sent
      })
      return { ...appended, positions }
    },
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
