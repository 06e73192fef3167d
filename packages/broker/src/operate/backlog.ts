import { BrokerUnavailable } from '@sekali/core/errors'
import type { Position } from '@sekali/core/position'
import { ask, askAll, type Broker } from '../redis/connect.ts'
import { field, ownGroup } from '../redis/info.ts'
import { streamKey } from '../redis/keys.ts'

/**
 * When the first entry behind each position was appended, in milliseconds since 1970, by topic; absent if none
 * is there. Rejects with `BrokerUnavailable`.
 */
export async function readOldest(
  broker: Broker,
  places: readonly { readonly topic: string; readonly position: Position }[],
): Promise<Map<string, number>> {
  if (places.length === 0) return new Map()
  const replies = await askAll(broker, 'look at what is in flight', (redis) =>
    places.map(({ topic, position }) =>
      redis.xrange(streamKey(broker, topic), `(${position}`, '+', 'COUNT', 1),
    ),
  )
  const error = replies.find((reply) => reply instanceof Error)
  if (error) throw new BrokerUnavailable('look at what is in flight failed', { cause: error })
  return new Map(
    replies.flatMap((reply, index) => {
      const id = Array.isArray(reply) ? reply[0]?.[0] : undefined
      const topic = places[index]?.topic
      return typeof id === 'string' && topic !== undefined ? [[topic, Number.parseInt(id, 10)]] : []
    }),
  )
}

/** A consumer with packs that were delivered to it and are not accounted for. */
export interface Holder {
  readonly topic: string
  readonly name: string
  readonly pending: number
  /** Since it last read. */
  readonly idleMs: number
}

/** Rejects with `BrokerUnavailable`. */
export async function readHolders(broker: Broker, topics: readonly string[]): Promise<Holder[]> {
  const holders = topics.map(async (topic) => {
    const key = streamKey(broker, topic)
    const [groups] = await askAll(broker, 'look at holders', (redis) => [redis.xinfo('GROUPS', key)])
    const group = ownGroup(broker, groups)
    if (group === undefined || group.pending === 0) return []
    const consumers = (await ask(broker, 'look at holders', (redis) =>
      redis.xinfo('CONSUMERS', key, group.name),
    )) as unknown[]
    return consumers.map((consumer) => ({
      topic,
      name: String(field(consumer, 'name')),
      pending: Number(field(consumer, 'pending')),
      idleMs: Number(field(consumer, 'idle')),
    }))
  })
  return (await Promise.all(holders)).flat().filter(({ pending }) => pending > 0)
}
