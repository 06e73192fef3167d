import { chunksOf } from '@sekali/core/chunks'
import { isTopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ask, type Broker } from '../redis/connect.ts'
import { luaInfo } from '../redis/info.ts'
import { groupPrefix, streamKey, topicsKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

export interface StreamFigures {
  /** The incarnation: see append/calls.ts. `null` when the group is gone. */
  readonly group: string | null
  /**
   * How many entries were ever added to this incarnation. Exact, unlike Redis's own `lag`. `null` when it
   * cannot be told.
   */
  readonly entriesAdded: number | null
  /** The id that Redis gave out last in the stream; `null` when it cannot be told. */
  readonly lastId: Position | null
  /** How many packs are delivered and not acknowledged; 0 also when there is no group. */
  readonly pending: number
}

// XINFO STREAM answers with the stream's first and last pack as well. To read through these cost a consumer
// that sweeps 1,000 topics 25 to 50 ms each second, and costs it 2 this way.
// KEYS  streams   ARGV  1 what our groups' names begin with
// Returns of each: id, added, group, pending; nothing when the key holds something else; null without a stream.
const figuresScript = defineScript(`#!lua flags=no-writes
${luaInfo}
local all = {}
for i, key in ipairs(KEYS) do
  all[i] = redis.call('EXISTS', key) == 1 and {}
  local info = all[i] and redis.pcall('XINFO', 'STREAM', key)
  if info and not info.err then
    local group = ownGroup(key, ARGV[1]) or {}
    all[i] = {field(info, 'last-generated-id'), field(info, 'entries-added'), field(group, 'name'), field(group, 'pending')}
  end
end
return all
`)

/** Others wait for Redis meanwhile, 12 µs a stream; 40 at the most. */
const streamsPerScript = 50
/**
 * Scripts under way at a time. Redis does all that one client has sent before it turns to the next, so they are few; but
 * one by one, many streams would take as long as a busy machine takes for each answer.
 */
const scriptsMax = 4

/** The figures of all topics' streams that are there, by topic. Rejects with `BrokerUnavailable`. */
export async function readStreams(
  broker: Broker,
  alsoTopics: Iterable<string> = [],
): Promise<Map<string, StreamFigures>> {
  const names = await ask(broker, 'list of topics', (redis) => redis.smembers(topicsKey(broker)))
  const topics = [...new Set([...names.filter(isTopicName), ...alsoTopics])]
  const figures = new Map<string, StreamFigures>()
  const left = chunksOf(topics, streamsPerScript).values()
  const readOnAndOn = async () => {
    // Noted as they come: of thousands at the end it would be a pause for everything else.
    for (const portion of left) note(figures, portion, await readPortion(broker, portion))
  }
  await Promise.all(Array.from({ length: scriptsMax }, readOnAndOn))
  return figures
}

function note(
  figures: Map<string, StreamFigures>,
  topics: readonly string[],
  replies: readonly Reply[],
): void {
  for (const [index, topic] of topics.entries()) {
    const reply = replies[index] ?? null
    if (reply === null) continue
    // The key holds something else: unknown for this topic, and no reason to know nothing of the others.
    const [lastId = null, entriesAdded = null, group = null, pending = 0] = reply
    figures.set(topic, { group, entriesAdded, lastId, pending })
  }
}

type Reply = [lastId?: Position, entriesAdded?: number, group?: string, pending?: number] | null

async function readPortion(broker: Broker, topics: readonly string[]): Promise<Reply[]> {
  const keys = topics.map((topic) => streamKey(broker, topic))
  return (await ask(broker, 'look at streams', (redis) =>
    runScript(redis, figuresScript, keys, [groupPrefix(broker)]),
  )) as Reply[]
}
