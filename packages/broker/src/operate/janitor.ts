import { chunksOf } from '@sekali/core/chunks'
import { ask, type Broker } from '../redis/connect.ts'
import { luaInfo } from '../redis/info.ts'
import { consumersKey, groupPrefix, streamKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'
import { readAnnounced } from './presence.ts'

// KEYS  the topics' streams
// ARGV  1 what our groups' names begin with, 2 for how many ms a consumer that is gone has not read, then the
//       names of those that are here
// Returns how many were removed. XGROUP DELCONSUMER drops what is pending with the consumer, so the look and the
// removal must be one step. Since Redis 7.2 `idle` counts from the last attempt to read, and before from the last success.
const removeScript = defineScript(`
${luaInfo}
local here, removed = {}, 0
for i = 3, #ARGV do here[ARGV[i]] = true end
for _, key in ipairs(KEYS) do
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  local group = not groups.err and ownGroup(key, ARGV[1])
  if group and field(group, 'consumers') > 0 then
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, field(group, 'name'))) do
      local isGone = not here[field(consumer, 'name')] and field(consumer, 'idle') >= tonumber(ARGV[2])
      if isGone and field(consumer, 'pending') == 0 then
        redis.call('XGROUP', 'DELCONSUMER', key, field(group, 'name'), field(consumer, 'name'))
        removed = removed + 1
      end
    end
  end
end
return removed
`)

/** A name is removed once its consumer has neither said anything nor read for so long. */
const goneMs = 60_000
/** Others wait for Redis meanwhile. */
const streamsPerScript = 50

/**
 * Removes consumers that are gone from the groups of `topics`, so that names do not pile up with every restart.
 * One with entries pending is left until a reclaim has taken them. Returns how many names were removed. Rejects with
 * `BrokerUnavailable`.
 */
export async function removeGoneConsumers(
  broker: Broker,
  topics: Iterable<string>,
  goneAfterMs = goneMs,
): Promise<number> {
  const announced = await readAnnounced(broker)
  const expired = [...announced.keys()].filter((name) => announced.get(name) === null)
  if (expired.length > 0)
    await ask(broker, 'janitor', (redis) => redis.srem(consumersKey(broker), ...expired))
  const here = [...announced.keys()].filter((name) => announced.get(name))
  let removed = 0
  for (const chunk of chunksOf([...topics], streamsPerScript)) {
    const keys = chunk.map((topic) => streamKey(broker, topic))
    const args = [groupPrefix(broker), String(goneAfterMs), ...here]
    removed += Number(await ask(broker, 'janitor', (redis) => runScript(redis, removeScript, keys, args)))
  }
  return removed
}
