import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { askAll, type Broker } from '../redis/connect.ts'
import { tracesKey } from '../redis/keys.ts'

/** The packs of a turn, by the first and the last one's id. */
export interface Packs {
  readonly first: Position
  readonly last: Position
}

/**
 * The traces that were stored beside the packs of a topic's turns, which are given in their order; see append/traces.ts. For
 * each turn those of its packs. They are taken away; what lies between the turns belongs to another consumer's, and stays.
 * Rejects with `BrokerUnavailable`.
 */
export async function takeTraces(
  broker: Broker,
  topic: TopicName,
  turns: readonly Packs[],
): Promise<string[][]> {
  const [first, last] = [turns[0]?.first, turns.at(-1)?.last]
  if (first === undefined || last === undefined) return []
  const key = tracesKey(broker, topic)
  const look = (redis: Redis) => [redis.xrange(key, first, last)]
  const [found] = await askAll(broker, `look at traces of ${topic}`, look)
  if (!Array.isArray(found)) return turns.map(() => []) // somebody else's key
  const taken: string[] = []
  let at = 0
  const traceparents = turns.map((turn) => {
    const own: string[] = []
    for (; at < found.length; at++) {
      const [id, fields] = found[at] as [Position, string[]]
      if (comparePositions(id, turn.last) > 0) break
      if (comparePositions(id, turn.first) < 0) continue
      taken.push(id)
      own.push(...fields.slice(1, 2))
    }
    return own
  })
  if (taken.length > 0)
    await askAll(broker, `removal of traces of ${topic}`, (redis) => [redis.xdel(key, ...taken)])
  return traceparents
}
