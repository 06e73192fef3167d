/** What a turn folds: the next events of the topics that are behind. */
import type { StoredEvent } from '@sekali/core/event'
import { turnCharsAim } from '@sekali/process/batch-size'
import type { Tx } from '@sekali/store/connect'
import type { Gap } from '@sekali/store/gaps'
import type { Behind, Checkpoint } from '@sekali/store/projection-turn'
import { type Next, readNext } from '@sekali/store/read-next'

/** Topics that a turn reads from. With many topics that have little each, finding them costs more than reading. */
export const turnTopicsMax = 1_024
/** Events of one read: even the largest events then take no more than 64 MiB. */
const portionEvents = 256

export interface Read extends StoredEvent {
  readonly topicId: number
  /** Of its topic's log. */
  readonly logEpoch: number
}

/** The next events, in the order of each topic, up to the first gap. `atEnd` when no topic has more. */
export async function readEvents(
  tx: Tx,
  topics: readonly Behind[],
  limit: number,
): Promise<{ events: Read[]; atEnd: boolean; gap: Gap | undefined }> {
  const events: Read[] = []
  const epochs = new Map(topics.map(({ topicId, epoch }) => [topicId, epoch]))
  let chars = 0
  let gap: Gap | undefined
  for (const portion of portionsOf(topics, limit)) {
    // There are that many: the heads were read before, from the same database.
    const next = await readNext(tx, portion)
    for (const { topicId, event } of next.events) {
      events.push({ ...event, topicId, logEpoch: epochs.get(topicId) ?? 1 })
      chars += event.payload.length
    }
    gap = next.gap
    if (gap !== undefined || chars >= turnCharsAim) break
  }
  return { events, atEnd: topics.length < turnTopicsMax && events.length === countLeft(topics), gap }
}

export const countLeft = (topics: readonly Behind[]): number =>
  topics.reduce((sum, { head, seq }) => sum + head - seq, 0)

/** What to read, topic after topic, in portions; `limit` events in all. */
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

/** Up to where topics are folded once these events are. */
export function checkpointsAfter(events: readonly Read[]): Checkpoint[] {
  const places = new Map<number, Checkpoint>()
  for (const { topicId, logEpoch: epoch, seq } of events) places.set(topicId, { topicId, epoch, seq })
  return [...places.values()]
}

export const charsOf = (texts: Iterable<string>): number =>
  Iterator.from(texts).reduce((sum, { length }) => sum + length, 0)
