import type { Issue } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import { eventIn, eventsIn, requireEvent, type Sifted, siftedEventsIn } from '@sekali/core/parse'
import { toEnd } from '@sekali/core/scan'
import type { Client } from '../clients/clients.ts'
import type { TimeSlices } from '../clients/time-slices.ts'
import type { Body } from './body.ts'

export type BodyEvents =
  | { readonly isBatch: false; readonly events: readonly [Event] }
  | {
      readonly isBatch: true
      readonly events: readonly Event[]
      /** What was taken of an array that was read leniently, and what was not. */
      readonly sifted?: Sifted
    }

/** How an array is read leniently: what else is wrong with an event, if anything is. */
export interface Lenient {
  readonly issueOf: (event: Event) => Issue | undefined
}

/** A body of up to this size is read at once: it takes a fraction of a millisecond. */
const smallBytesMax = 16 * 1024

/**
 * Reads the events of a body. Throws MalformedJson, InvalidEvent or InvalidBatch. An array that is read leniently may turn
 * out to have no event at all.
 */
export async function readEvents(
  timeSlices: TimeSlices,
  client: Client,
  body: Body,
  lenient: Lenient | undefined,
): Promise<BodyEvents> {
  const steps = stepsOf(body, lenient)
  return body.bytes <= smallBytesMax ? toEnd(steps) : await timeSlices.run(client, steps)
}

function* stepsOf(body: Body, lenient: Lenient | undefined): Generator<undefined, BodyEvents> {
  const text = body.toText()
  yield
  if (isArray(text) && lenient !== undefined) {
    const sifted = yield* siftedEventsIn(text, lenient.issueOf)
    return { isBatch: true, events: sifted.events, sifted }
  }
  if (isArray(text)) return { isBatch: true, events: yield* eventsIn(text) }
  return { isBatch: false, events: [requireEvent(yield* eventIn(text))] }
}

/** Whether a body is a batch, if it is JSON. */
const isArray = (text: string): boolean => /^[ \t\r\n]*\[/.test(text)
