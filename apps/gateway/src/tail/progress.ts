import type { Cursor } from '@sekali/core/cursor'
import type { EpochPlace } from '@sekali/core/fork'
import type { Head } from '@sekali/core/head'
import type { Range } from '@sekali/store/ranges'

/** How far topics have come, and how far their feed has read; all by topic id. */
export interface Progress {
  /** How far the topics have come, as far as this process knows. */
  readonly targets: ReadonlyMap<number, number>
  /** How far the feed has read, in the epochs in which it reads. */
  readonly ends: Cursor
  /** The epoch in which the feed reads a topic; `undefined` for one that it does not know. */
  epochOf(topicId: number): number | undefined
  /** Whether a head is of another log than the feed reads: in another epoch, or of a topic that was made anew. */
  isOther(head: Head): boolean
  /** The feed begins there. */
  start(head: Head): void
  aim(head: Head): void
  reach(topicId: number, seq: number): void
  /** A topic has not come so far after all. */
  aimBack(topicId: number, seq: number): void
  /** What is to be read. */
  ahead(): Range[]
}

type Log = Pick<Head, 'topic' | 'epoch'>

export function createProgress(): Progress {
  const targets = new Map<number, number>()
  const ends = new Map<number, EpochPlace>()
  const logs = new Map<number, Log>()
  const ids = new Map<string, number>()
  /** Topics that may have come further than the feed: of five hundred it is mostly one. */
  const moved = new Set<number>()
  const epochOf = (topicId: number) => logs.get(topicId)?.epoch
  const endOf = (topicId: number) => ends.get(topicId)?.seq ?? 0
  const note = ({ topicId, topic, epoch }: Head) => {
    logs.set(topicId, { topic, epoch })
    ids.set(topic, topicId)
  }
  return {
    targets,
    ends,
    epochOf,
    isOther({ topicId, topic, epoch }) {
      const log = logs.get(topicId)
      if (log === undefined) return ids.has(topic)
      return log.topic !== topic || log.epoch !== epoch
    },
    start(given) {
      note(given)
      targets.set(given.topicId, given.head)
      ends.set(given.topicId, { epoch: given.epoch, seq: given.head })
    },
    aim(given) {
      const { topicId, head } = given
      if (!logs.has(topicId)) note(given)
      targets.set(topicId, Math.max(head, targets.get(topicId) ?? 0))
      if (head > endOf(topicId)) moved.add(topicId)
    },
    reach: (topicId, seq) => void ends.set(topicId, { epoch: epochOf(topicId) ?? 1, seq }),
    aimBack: (topicId, seq) => void targets.set(topicId, seq),
    ahead() {
      const ranges: Range[] = []
      for (const topicId of moved) {
        const [after, upTo] = [endOf(topicId), targets.get(topicId) ?? 0]
        if (after < upTo) ranges.push({ topicId, epoch: epochOf(topicId) ?? 1, after, upTo })
        else moved.delete(topicId)
      }
      return ranges
    },
  }
}
