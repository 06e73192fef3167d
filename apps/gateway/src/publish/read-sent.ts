import type { Event } from '@sekali/core/event'
import { eventIn, eventsIn, requireEvent, type Sifted, siftedEventsIn } from '@sekali/core/parse'
import { toEnd } from '@sekali/core/scan'
import type { Client } from '../clients/clients.ts'
import type { Turns } from '../clients/time-slices.ts'
import type { Body } from './body.ts'

export type Sent =
  | { readonly isBatch: false; readonly events: readonly [Event] }
  | {
      readonly isBatch: true
      readonly events: readonly Event[]
      /** Of an array of which the good ones are to be taken: none of them may be. */
      readonly sifted?: Sifted
    }

/** Bodies up to here are read at once: it takes a fraction of a millisecond. */
const smallBytesMax = 16 * 1024

/**
 * Reads the events of a body. Throws MalformedJson, InvalidEvent or InvalidBatch. Of an array that is read leniently
 * there may be no event at all.
 */
export async function readSent(turns: Turns, client: Client, body: Body, isLenient: boolean): Promise<Sent> {
  const steps = stepsOf(body, isLenient)
  return body.bytes <= smallBytesMax ? toEnd(steps) : await turns.run(client, steps)
}

function* stepsOf(body: Body, isLenient: boolean): Generator<undefined, Sent> {
  const text = body.toText()
  yield
  if (isArray(text) && isLenient) {
    const sifted = yield* siftedEventsIn(text)
    return { isBatch: true, events: sifted.events, sifted }
  }
  if (isArray(text)) return { isBatch: true, events: yield* eventsIn(text) }
  return { isBatch: false, events: [requireEvent(yield* eventIn(text))] }
}

/** Whether a body is a batch, if it is JSON. */
const isArray = (text: string): boolean => /^[ \t\r\n]*\[/.test(text)
