import type { TopicName } from '@sekali/core/event'
import { ask, type Broker } from '../redis/connect.ts'
import { luaInfo } from '../redis/info.ts'
import { groupPrefix, streamKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

/** What a topic's stream weighs. */
export interface StreamLoad {
  /** The incarnation: see append/calls.ts. `null` when the group is gone. */
  readonly group: string | null
  /** How many entries were ever added to this incarnation; `null` when it cannot be told. */
  readonly entriesAdded: number | null
  /** Bytes of Redis's memory that the stream takes; `null` when it cannot be told. */
  readonly bytes: number | null
}

// KEYS  streams   ARGV  1 what our groups' names begin with, 2 how many nodes to weigh at most
// Returns of each stream: group, added, bytes; what cannot be told is false, null is no stream. It looks at as many
// streams as it can in a moment, and at one at least, so what it returns may be shorter than what it was asked.
// SAMPLES 0 weighs every node: large events behind small ones would not be seen in a sample, which Redis takes at the
// front. It costs 45 ns a node. https://redis.io/docs/latest/commands/memory-usage/
const loadsScript = defineScript(`#!lua flags=no-writes
${luaInfo}
local all, nodes = {}, 0
for i, key in ipairs(KEYS) do
  if nodes > tonumber(ARGV[2]) then break end
  all[i] = redis.call('EXISTS', key) == 1 and {}
  local info = all[i] and redis.pcall('XINFO', 'STREAM', key)
  if info and not info.err then
    nodes = nodes + field(info, 'radix-tree-keys')
    local bytes = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', '0')
    local group = ownGroup(key, ARGV[1]) or {}
    all[i] = {field(group, 'name') or false, field(info, 'entries-added') or false, type(bytes) == 'number' and bytes}
  end
end
return all
`)

/** Others wait for Redis meanwhile: nodes of one stream are weighed in one go, but those of many are not. */
const nodesPerScript = 20_000
const streamsPerScript = 50

type Reply = [group?: string | null, entriesAdded?: number | null, bytes?: number | null] | null

/** What the topics' streams weigh, of those that are there. Rejects with `BrokerUnavailable`. */
export async function readLoads(
  broker: Broker,
  topics: readonly TopicName[],
): Promise<Map<TopicName, StreamLoad>> {
  const loads = new Map<TopicName, StreamLoad>()
  for (let from = 0; from < topics.length; ) {
    const keys = topics.slice(from, from + streamsPerScript).map((topic) => streamKey(broker, topic))
    const replies = (await ask(broker, 'look at loads', (redis) =>
      runScript(redis, loadsScript, keys, [groupPrefix(broker), String(nodesPerScript)]),
    )) as Reply[]
    for (const [index, reply] of replies.entries()) {
      if (reply === null) continue
      const [group = null, entriesAdded = null, bytes = null] = reply
      loads.set(topics[from + index] as TopicName, { group, entriesAdded, bytes })
    }
    from += Math.max(1, replies.length)
  }
  return loads
}
