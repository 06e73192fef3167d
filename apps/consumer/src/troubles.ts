import type { TopicName } from '@sekali/core/event'
import { backoff } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'

/** How many topics may fail one after the other before it is taken for the fault of something that all need. */
const ownTroublesMax = 2

/** How long to wait before the topic, and before anything, is tried again. */
interface Delays {
  readonly topicMs: number
  readonly loopMs: number
}

export interface Troubles {
  /** Takes note of a failure, of a topic's turn or, without a topic, of having found none. Says it in the log. */
  note(topic: TopicName | undefined, error: unknown): Delays
  /** After something went well: a turn of the topic, or finding that others have all turns. */
  forget(topic: TopicName | undefined): void
}

/** Tells a topic that is in trouble from an infrastructure that is, and how long to leave each alone. */
export function createTroubles(log: Logger): Troubles {
  const failures = new Map<TopicName | undefined, number>()
  const inARow = new Set<TopicName | undefined>()
  return {
    note(topic, error) {
      const count = (failures.get(topic) ?? 0) + 1
      failures.set(topic, count)
      inARow.add(topic)
      // A fault lasts for many tries: the first says what it is, the others only that it lasts.
      if (Number.isInteger(Math.log2(count))) {
        log.warn({ topic, failures: count, err: error }, 'turn failed, will be tried again')
      }
      const common = topic === undefined ? count : inARow.size - ownTroublesMax
      return { topicMs: backoff(count), loopMs: common > 0 ? backoff(common) : 0 }
    },
    forget(topic) {
      inARow.clear()
      failures.delete(undefined)
      if (topic !== undefined) failures.delete(topic)
    },
  }
}
