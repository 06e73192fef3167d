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
// It returns one text, of JSON: of tens of thousands of lists in a list the reader made as much work as Redis had with the rest.
// KEYS  streams   ARGV  1 what our groups' names begin with
// Returns of each: id, added, group, pending; false when the key holds something else; null without a stream.
const figuresScript = defineScript(`#!lua flags=no-writes
${luaInfo}
-- As text: how JSON rounds is a setting that any script of this Redis may change.
local function exact(count) return count and string.format('%.0f', count) or cjson.null end
local all = {}
for i, key in ipairs(KEYS) do
  -- EXISTS first: Redis counts each error, and most topics may have no stream.
  local isThere = redis.call('EXISTS', key) == 1
  local info = isThere and redis.pcall('XINFO', 'STREAM', key)
  if not isThere then all[i] = cjson.null
  elseif info.err then all[i] = false
  else
    local group = ownGroup(key, ARGV[1])
    all[i] = {field(info, 'last-generated-id'), exact(field(info, 'entries-added'))}
    if group then
      all[i][3], all[i][4] = field(group, 'name'), exact(field(group, 'pending'))
    end
  end
end
return cjson.encode(all)
`)

/** Others wait for Redis meanwhile, 18 µs a stream where it is busy; a millisecond or two at the most. */
const streamsPerScript = 100
/**
 * Scripts under way at a time. Redis does all that one client has sent before it turns to the next, so they are few: 8 ms
 * of its time. But one by one, many streams would take as long as a busy Redis, which waits for its disk after each round
 * of writes, takes for each answer.
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
    const [lastId = null, added = null, group = null, pending = 0] = reply || []
    const entriesAdded = added === null ? null : Number(added)
    figures.set(topic, { group, entriesAdded, lastId, pending: Number(pending) })
  }
}

type Reply =
  | readonly [lastId?: Position, entriesAdded?: string | null, group?: string, pending?: string]
  | false
  | null

async function readPortion(broker: Broker, topics: readonly string[]): Promise<Reply[]> {
  const keys = topics.map((topic) => streamKey(broker, topic))
  const text = await ask(broker, 'look at streams', (redis) =>
    runScript(redis, figuresScript, keys, [groupPrefix(broker)]),
  )
  return JSON.parse(String(text)) as Reply[]
}
