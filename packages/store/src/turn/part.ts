/**
 * A batch with its events grouped by their ids. Their keys and tags are made here, in the consumer: the processor of
 * PostgreSQL, which all consumers share, is the scarcer one.
 */
import type { EventId } from '@sekali/core/event'
import { contentTagBy, tagWriterBy } from '../keys/content-tag.ts'
import { keysOf, keyWriter } from '../keys/event-key.ts'
import type { Hashes, Received } from './copy.ts'
import type { Content, Sought } from './known.ts'
import type { Turn } from './turn.ts'

/** What has come of a topic, in stream order. */
export interface Batch {
  readonly turn: Turn
  readonly received: readonly Received[]
}

/** A batch, and the first event of each id in it. */
export interface Part extends Batch {
  readonly firsts: readonly Received[]
  /** For each event that was received, the index in `firsts` of the one with its id. */
  readonly indices: readonly number[]
  readonly hashes: Hashes
}

export function groupById({ turn, received }: Batch): Part {
  const indexOf = new Map<EventId, number>()
  const firsts: Received[] = []
  const indices = received.map((item) => {
    const { eventId } = item.event
    const known = indexOf.get(eventId)
    if (known !== undefined) return known
    indexOf.set(eventId, firsts.length)
    return firsts.push(item) - 1
  })
  return { turn, received, firsts, indices, hashes: hashesOf(turn) }
}

function hashesOf({ topicId, pepper, sameContent }: Turn): Hashes {
  const writeTag = tagWriterBy(pepper, sameContent)
  return {
    writeKey: keyWriter(pepper, topicId),
    writeTag: ({ source, payload }, to, at) => writeTag(source, payload, to, at),
  }
}

/** For each of `firsts`, what is looked up. */
export function soughtOf({ turn, received, firsts, indices }: Part): Sought[] {
  const keyOf = keysOf(turn.pepper, turn.topicId)
  const payloadBytes = new Array<number>(firsts.length).fill(0)
  for (const [eventAt, { event }] of received.entries()) {
    const index = indices[eventAt] as number
    payloadBytes[index] = Math.max(payloadBytes[index] as number, Buffer.byteLength(event.payload))
  }
  return firsts.map(({ event: { eventId } }, index) => ({
    ...{ turn, index, eventId, key: keyOf(eventId), payloadBytes: payloadBytes[index] as number },
  }))
}

/** What is compared of an event. Its tag is made once, when it is asked for. */
export function contentOf({ turn: { pepper, sameContent } }: Part, { event }: Received): Content {
  const { source, payload } = event
  let tag: string | undefined
  return { source, payload, tag: () => (tag ??= contentTagBy(pepper, sameContent, source, payload)) }
}
