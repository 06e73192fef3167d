import type { TopicName } from '@sekali/core/event'
import { askAll, type Broker } from '../redis/connect.ts'
import { tracesKey } from '../redis/keys.ts'

/**
 * The traces that were stored beside the packs of a turn, by the first and the last pack's id; see append/traces.ts. They
 * are taken away. Rejects with `BrokerUnavailable`.
 */
export async function takeTraces(
  broker: Broker,
  topic: TopicName,
  packs: readonly string[],
): Promise<string[]> {
  const [first, last] = [packs[0], packs.at(-1)]
  if (first === undefined || last === undefined) return []
  const key = tracesKey(broker, topic)
  const [found] = await askAll(broker, `look at traces of ${topic}`, (redis) => [
    redis.xrange(key, first, last),
    redis.xtrim(key, 'MINID', '=', last),
  ])
  if (!Array.isArray(found)) return [] // somebody else's key
  return (found as [id: string, fields: string[]][]).flatMap(([, fields]) => fields[1] ?? [])
}
