import type { Event } from '@sekali/core/event'
import { eventIn, eventsIn, requireEvent } from '@sekali/core/parse'
import { toEnd } from '@sekali/core/scan'
import type { Body } from './body.ts'
import type { Client } from './clients.ts'
import type { Turns } from './turns.ts'

export type Sent =
  | { readonly isBatch: false; readonly events: readonly [Event] }
  | { readonly isBatch: true; readonly events: readonly Event[] }

/** Bodies up to here are read at once: it takes a fraction of a millisecond. */
const smallBytesMax = 16 * 1024

/** Reads the events of a body. Throws MalformedJson, InvalidEvent or InvalidBatch. */
export async function readSent(turns: Turns, client: Client, body: Body): Promise<Sent> {
  const steps = stepsOf(body)
  return body.bytes <= smallBytesMax ? toEnd(steps) : await turns.run(client, steps)
}

function* stepsOf(body: Body): Generator<undefined, Sent> {
  const text = body.toText()
  yield
  if (isArray(text)) return { isBatch: true, events: yield* eventsIn(text) }
  return { isBatch: false, events: [requireEvent(yield* eventIn(text))] }
}

/** Whether a body is a batch, if it is JSON. */
const isArray = (text: string): boolean => /^[ \t\r\n]*\[/.test(text)
