/**
 * What this process was told was appended, so that it can vouch for it (see vouch.ts): of each topic how many entries
 * its stream had when it was last asked, and the calls since. Gone with the process.
 */
import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import type { Knowledge, Vouched } from './vouch.ts'

/** A count costs Redis about as much as a call; this many calls share one. */
const callsMax = 128
/** At the worst about 50 MB. What was counted longest ago is forgotten. */
const topicsMax = 5_000

interface Remembered extends Knowledge {
  readonly calls: Map<Position, number>
}

export interface Acknowledged {
  readonly of: (topic: TopicName) => Knowledge | undefined
  readonly topics: () => TopicName[]
  /** Whether the topic's stream should be counted. */
  readonly isDue: (topic: TopicName) => boolean
  readonly noteCall: (topic: TopicName, lastId: Position, entries: number) => void
  /**
   * Learns how a stream stands: all calls up to there are in its count. Forgets the topic when nobody knows.
   */
  readonly noteCount: (topic: TopicName, stream: Vouched | undefined) => void
}

export function createAcknowledged(): Acknowledged {
  const known = new Map<TopicName, Remembered>()
  return {
    of: (topic) => known.get(topic),
    topics: () => [...known.keys()],
    isDue: (topic) => (known.get(topic)?.calls.size ?? callsMax) >= callsMax,
    noteCall: (topic, lastId, entries) => known.get(topic)?.calls.set(lastId, entries),
    noteCount: (topic, stream) => {
      const before = known.get(topic)
      known.delete(topic) // so that it comes last
      if (stream === undefined) return
      const isSame = before?.history === stream.history && before.group === stream.group
      const later = [...(isSame ? before.calls : [])].filter(([id]) => comparePositions(id, stream.id) > 0)
      known.set(topic, { ...stream, calls: new Map(later) })
      const [oldest] = known.keys()
      if (known.size > topicsMax && oldest !== undefined) known.delete(oldest)
    },
  }
}
