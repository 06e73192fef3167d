import { chunksOf } from '@sekali/core/chunks'
import type { Position } from '@sekali/core/position'
import { ask, askAll, type Broker } from '../redis/connect.ts'
import { field, ownGroup } from '../redis/info.ts'
import { streamKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

// XRANGE answers with the whole pack. Of thousands of topics that would be megabytes, for ids of some bytes each.
// KEYS  streams   ARGV  positions
// Returns of each: the id of the first pack behind the position, or nothing.
const oldestScript = defineScript(`#!lua flags=no-writes
local ids = {}
for i, key in ipairs(KEYS) do
  local packs = redis.pcall('XRANGE', key, '(' .. ARGV[i], '+', 'COUNT', 1)
  ids[i] = not packs.err and packs[1] and packs[1][1]
end
return ids
`)

/** Others wait for Redis meanwhile: a pack has up to 16 KiB, or one event of 256 KiB. */
const streamsPerScript = 50

/**
 * When the first entry behind each position was appended, in milliseconds since 1970, by topic; absent if none
 * is there. Rejects with `BrokerUnavailable`.
 */
export async function readOldest(
  broker: Broker,
  places: readonly { readonly topic: string; readonly position: Position }[],
): Promise<Map<string, number>> {
  const oldest = new Map<string, number>()
  for (const portion of chunksOf(places, streamsPerScript)) {
    const keys = portion.map(({ topic }) => streamKey(broker, topic))
    const positions = portion.map(({ position }) => position)
    const ids = (await ask(broker, 'look at what is in flight', (redis) =>
      runScript(redis, oldestScript, keys, positions),
    )) as (string | null)[]
    for (const [index, { topic }] of portion.entries()) {
      const id = ids[index]
      if (typeof id === 'string') oldest.set(topic, Number.parseInt(id, 10))
    }
  }
  return oldest
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
