import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { askAll, type Broker } from './connect.ts'
import { field, isMissing, ownGroup } from './info.ts'
import { streamKey } from './keys.ts'

/** A topic as a sweep finds it. */
export interface Sight {
  readonly topic: TopicName
  /** The id that Redis gave out last in the topic's stream. */
  readonly lastId: Position
  /** How many packs are delivered and not acknowledged; 0 also when there is no group. */
  readonly pending: number
}

/** Looks at every topic's stream in one round trip. Rejects with `BrokerUnavailable`. */
export async function sweep(broker: Broker, topics: readonly TopicName[]): Promise<Sight[]> {
  const replies = await askAll(broker, 'sweep', (redis) =>
    topics.flatMap((topic) => [
      redis.xinfo('STREAM', streamKey(broker, topic)),
      redis.xinfo('GROUPS', streamKey(broker, topic)),
    ]),
  )
  return topics.flatMap((topic, index) => {
    const [stream, groups] = replies.slice(2 * index, 2 * index + 2)
    if (stream instanceof Error && isMissing(stream)) return []
    const pending = ownGroup(broker, groups)?.pending ?? 0
    return [{ topic, lastId: String(field(stream, 'last-generated-id')) as Position, pending }]
  })
}
