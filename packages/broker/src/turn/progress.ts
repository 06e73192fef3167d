/** How far topics have come, from Redis alone, for a consumer that waits for another one to take their turns. */
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { askAll, type Broker } from '../redis/connect.ts'
import { dirtyKey, rememberedKey } from '../redis/keys.ts'
import { positionIn } from './remembered.ts'

export interface TopicProgress {
  readonly topic: TopicName
  /** The last id of its stream, while the topic has entries in flight. */
  readonly mark: Position | undefined
  /** The id up to which it was accounted for when a consumer last acknowledged. */
  readonly position: Position | undefined
}

/** Rejects with `BrokerUnavailable`, or with what Redis answers. */
export async function readProgress(
  broker: Broker,
  topics: readonly TopicName[],
): Promise<readonly TopicProgress[]> {
  const replies = await askAll(broker, 'look at progress', (redis) => [
    redis.hmget(dirtyKey(broker), ...topics),
    redis.hmget(rememberedKey(broker), ...topics),
  ])
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw error
  const [marks, memories] = replies as (string | null)[][]
  return topics.map((topic, index) => ({
    topic,
    mark: (marks?.[index] ?? undefined) as Position | undefined,
    position: positionIn(memories?.[index]),
  }))
}
