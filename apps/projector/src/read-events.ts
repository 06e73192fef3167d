/** What a turn folds: what comes next in the topics that are behind. */
import type { StoredEvent } from '@sekali/core/event'
import { turnCharsAim } from '@sekali/process/batch-size'
import type { Tx } from '@sekali/store/connect'
import type { Behind } from '@sekali/store/projection-turn'
import { type Next, readNext } from '@sekali/store/read-next'

/** Topics that a turn reads from at most. To find them is what costs most, when there are many and each has little. */
export const turnTopicsMax = 1_024
/** Events are read in portions, so that large ones do not fill the memory: 64 MiB at most come at a time. */
const portionEvents = 256

export interface Read extends StoredEvent {
  readonly topicId: number
}

/** What comes next, in the order of each topic. `atEnd` when nothing is behind it. */
export async function readEvents(
  tx: Tx,
  topics: readonly Behind[],
  limit: number,
): Promise<{ events: Read[]; atEnd: boolean }> {
  const events: Read[] = []
  let chars = 0
  for (const portion of portionsOf(topics, limit)) {
    // The heads were read before, in the same database: there must be that much.
    for (const { topicId, event } of await readNext(tx, portion)) {
      events.push({ ...event, topicId })
      chars += event.payload.length
    }
    if (chars >= turnCharsAim) break
  }
  return { events, atEnd: topics.length < turnTopicsMax && events.length === countLeft(topics) }
}

export const countLeft = (topics: readonly Behind[]): number =>
  topics.reduce((sum, { head, seq }) => sum + head - seq, 0)

/** What to read of topics one after the other, `limit` events in all. */
function* portionsOf(topics: readonly Behind[], limit: number): Generator<readonly Next[]> {
  let portion: Next[] = []
  let room = Math.min(portionEvents, limit)
  let left = limit
  for (const { topicId, topic, seq, head } of topics) {
    for (let after = seq; after < head && left > 0; ) {
      const count = Math.min(head - after, room)
      portion.push({ topicId, topic, after, count })
      after += count
      room -= count
      left -= count
      if (room > 0) continue
      yield portion
      portion = []
      room = Math.min(portionEvents, left)
    }
  }
  if (portion.length > 0) yield portion
}
