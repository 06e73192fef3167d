/** The names of all topics: Redis has them in a set, each from before its first append. */
import type { TopicName } from '@sekali/core/event'
import { ask, type Broker } from '../redis/connect.ts'
import { dirtyKey, rememberedKey, streamKey, topicsKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

/** Those of the names that no topic has, and how many topics there are. Rejects with `BrokerUnavailable`. */
export async function findNewNames(
  broker: Broker,
  names: readonly TopicName[],
): Promise<{ readonly names: readonly TopicName[]; readonly count: number }> {
  const key = topicsKey(broker)
  const [found, count] = await ask(broker, 'look at names', (redis) =>
    Promise.all([redis.smismember(key, ...names), redis.scard(key)]),
  )
  return { names: names.filter((_, index) => found[index] === 0), count }
}

// KEYS  1 the names of all topics
// ARGV  1 how many there may be, 2 how many there are at least, whatever Redis knows of, then the new names
// Returns 1 when they were added, and 0 when they are too many: then none is.
const addScript = defineScript(`
local count = 0
for _, known in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(ARGV, 3))) do count = count + 1 - known end
if math.max(redis.call('SCARD', KEYS[1]), ARGV[2]) + count > tonumber(ARGV[1]) then return 0 end
redis.call('SADD', KEYS[1], unpack(ARGV, 3))
return 1
`)

/**
 * Adds names, if there are no more than `max` topics then; all of them or none. `there` is how many there are at
 * least: Redis may have lost names. Resolves with whether they were added; rejects with `BrokerUnavailable`.
 */
export async function addNames(
  broker: Broker,
  names: readonly TopicName[],
  { max, there }: { readonly max: number; readonly there: number },
): Promise<boolean> {
  const args = [String(max), String(there), ...names]
  const added = await ask(broker, 'registration', (redis) =>
    runScript(redis, addScript, [topicsKey(broker)], args),
  )
  return added === 1
}

// KEYS  1 the names of all topics, 2 the topic's stream, 3 the marks of topics in flight, 4 what is remembered of logs
// ARGV  1 topic
// A log that once had events is gone from PostgreSQL by a restore alone. Of that only what is remembered tells its readers.
const forgetScript = defineScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 'in_use' end
local text = redis.call('HGET', KEYS[4], ARGV[1]) or ''
local epoch, head, id = string.match(text, '^(%d+) (%d+) %S+ %S+ (%d+)')
if epoch and (tonumber(epoch) > 1 or tonumber(head) > 0) then return 'in_use' end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1], '#' .. (id or ''))
return redis.call('SREM', KEYS[1], ARGV[1]) == 1 and 'dropped' or 'unknown'
`)

/** Forgets a topic that has no stream, and of which no events are remembered. Rejects with `BrokerUnavailable`. */
export const forgetName = (broker: Broker, topic: TopicName): Promise<'dropped' | 'in_use' | 'unknown'> =>
  ask(broker, `dropping of ${topic}`, async (redis) => {
    const keys = [topicsKey, streamKey, dirtyKey, rememberedKey].map((key) => key(broker, topic))
    return (await runScript(redis, forgetScript, keys, [topic])) as 'dropped' | 'in_use' | 'unknown'
  })
