import type { TopicName } from '@sekali/core/event'
import type { TurnReport } from './turn.ts'

/** Characters of entries that a turn aims to hold in memory. Redis cannot limit a read by size, only by count. */
const turnCharsAim = 8 * 1024 * 1024
/** What a topic gets whose entries' size is not known: at 256 KiB each that is still bearable. */
const firstCount = 64

export interface BatchSize {
  /** How many entries to read of a topic. */
  readonly size: (topic: TopicName) => number
  /** Learns from a turn how large the topic's entries are. */
  learn(report: TurnReport): void
  /** After a turn that failed: half as much may fit into what it failed for, its time perhaps. */
  halve(topic: TopicName): void
}

/** Sizes turns by what the last ones of each topic were like: up to `countMax` small events, few large ones. */
export function createBatchSize(countMax: number): BatchSize {
  const counts = new Map<TopicName, number>()
  return {
    size: (topic) => Math.min(countMax, counts.get(topic) ?? firstCount),
    learn: ({ topic, entries, bytes }) => {
      if (entries === 0) return
      const fitting = Math.floor(turnCharsAim / Math.max(1, bytes / entries))
      // Step by step, because the first few say little. It bounds nothing: when large events follow small ones, one
      // turn reads `countMax` of them.
      const previous = counts.get(topic) ?? firstCount
      counts.set(topic, Math.max(1, Math.min(fitting, previous * 4, countMax)))
    },
    halve: (topic) => {
      counts.set(topic, Math.max(1, (counts.get(topic) ?? firstCount) >> 1))
    },
  }
}
