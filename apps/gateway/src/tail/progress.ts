import type { Cursor } from '@sekali/core/cursor'
import type { Head } from '@sekali/core/head'
import type { Range } from '@sekali/store/ranges'

/** How far topics have come, and how far their feed has read; all by topic id. */
export interface Progress {
  /** How far the topics have come, as far as this process knows. */
  readonly targets: Cursor
  /** How far the feed has read. */
  readonly ends: Cursor
  aim(head: Pick<Head, 'topicId' | 'head'>): void
  reach(topicId: number, seq: number): void
  /** A topic has not come so far after all. */
  aimBack(topicId: number, seq: number): void
  /** What is to be read. */
  ahead(): Range[]
}

export function createProgress(): Progress {
  const targets = new Map<number, number>()
  const ends = new Map<number, number>()
  /** Topics that may have come further than the feed: of five hundred it is mostly one. */
  const moved = new Set<number>()
  return {
    targets,
    ends,
    aim({ topicId, head }) {
      targets.set(topicId, Math.max(head, targets.get(topicId) ?? 0))
      if (head > (ends.get(topicId) ?? 0)) moved.add(topicId)
    },
    reach: (topicId, seq) => void ends.set(topicId, seq),
    aimBack: (topicId, seq) => void targets.set(topicId, seq),
    ahead() {
      const ranges: Range[] = []
      for (const topicId of moved) {
        const [after, upTo] = [ends.get(topicId) ?? 0, targets.get(topicId) ?? 0]
        if (after < upTo) ranges.push({ topicId, after, upTo })
        else moved.delete(topicId)
      }
      return ranges
    },
  }
}
