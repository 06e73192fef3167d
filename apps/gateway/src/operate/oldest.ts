import { readOldest } from '@sekali/broker/backlog'
import type { Broker } from '@sekali/broker/connect'
import { origin, type Position } from '@sekali/core/position'
import type { Store } from '@sekali/store/connect'
import { readHeads } from '@sekali/store/heads'

/**
 * When the first entry in flight of each topic was accepted, in milliseconds since 1970 by Redis's clock; absent if none
 * is there. Rejects with `BrokerUnavailable` or `StoreUnavailable`.
 */
export async function readOldestOf(
  broker: Broker,
  store: Store,
  topics: readonly string[],
): Promise<Map<string, number>> {
  const heads = await readHeads(store, topics)
  const positionOf = new Map<string, Position>(heads.map(({ topic, position }) => [topic, position]))
  return await readOldest(
    broker,
    topics.map((topic) => ({ topic, position: positionOf.get(topic) ?? origin })),
  )
}
