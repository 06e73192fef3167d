/**
 * A batch with its events grouped by their ids, and the key and tag of each. They are made here, in the consumer: the
 * processor of PostgreSQL, which all consumers share, is the scarcer one.
 */
import type { EventId } from '@sekali/core/event'
import { contentTagBy } from '../keys/content-tag.ts'
import { keysOf } from '../keys/event-key.ts'
import type { Received } from './copy.ts'
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
  /** For each of `firsts`, what is looked up. */
  readonly sought: readonly Sought[]
}

export function groupById({ turn, received }: Batch): Part {
  const keyOf = keysOf(turn.pepper, turn.topicId)
  const indexOf = new Map<EventId, number>()
  const firsts: Received[] = []
  const sought: (Sought & { payloadBytes: number })[] = []
  const indices = received.map((item) => {
    const { eventId, payload } = item.event
    const index = indexOf.get(eventId) ?? firsts.length
    const payloadBytes = Buffer.byteLength(payload)
    const first = sought[index]
    if (first === undefined) {
      indexOf.set(eventId, index)
      firsts.push(item)
      const [key, tag] = [keyOf(eventId), tagOf(turn, item)]
      sought.push({ turn, index, eventId, key, tag, payloadBytes })
      return index
    }
    if (payloadBytes > first.payloadBytes) first.payloadBytes = payloadBytes
    return index
  })
  return { turn, received, firsts, indices, sought }
}

const tagOf = ({ pepper, sameContent }: Turn, { event: { source, payload } }: Received): string =>
  contentTagBy(pepper, sameContent, source, payload)

/** Of an event with the id of the first at `index`. Its tag is made when it is asked for. */
export const contentOf = ({ turn, firsts, sought }: Part, item: Received, index: number): Content => ({
  source: item.event.source,
  payload: item.event.payload,
  tag: () => (item === firsts[index] && sought[index]?.tag) || tagOf(turn, item),
})
