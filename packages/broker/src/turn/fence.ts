/**
 * The fence: Redis keeps, for each system of PostgreSQL, the highest timeline that a turn was on. A promotion begins a higher
 * one. So a turn that finds its own below that one is on an old primary, which was not stopped and takes writes as before: what
 * it stored there would be acknowledged, trimmed, and lost with that primary. It must not commit.
 *
 * It is looked at in each turn, in the same write as the turn's reads. A turn that had looked before the new primary had its
 * first one may still commit: that is one turn a consumer at most.
 */
import { ask, type Broker } from '../redis/connect.ts'
import { fenceKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

/** As in the store: which system it is, and on which timeline. */
export interface Fenced {
  readonly system: string
  readonly timeline: number
}

// Runs in a full Redis, too: a turn is what makes room there.
// KEYS  1 the hash of timelines
// ARGV  1 system, 2 a timeline of it
// Returns the highest timeline of the system.
const raiseScript = defineScript(`#!lua flags=allow-oom
local highest = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if tonumber(ARGV[2]) <= highest then return highest end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return tonumber(ARGV[2])`)

/**
 * The highest timeline of the system, which from now on is at least this one. A call that only reads, but for the first on a
 * timeline. Rejects with `BrokerUnavailable`.
 */
export const raiseFence = (broker: Broker, { system, timeline }: Fenced): Promise<number> =>
  ask(broker, 'look at the fence', async (redis) => {
    const highest = Number(await redis.hget(fenceKey(broker), system))
    if (highest >= timeline) return highest
    return Number(await runScript(redis, raiseScript, [fenceKey(broker)], [system, String(timeline)]))
  })

/** The highest timeline of the system; `undefined` if there was no turn yet. Rejects with `BrokerUnavailable`. */
export const readFence = (broker: Broker, system: string): Promise<number | undefined> =>
  ask(broker, 'look at the fence', async (redis) => {
    const highest = await redis.hget(fenceKey(broker), system)
    return highest === null ? undefined : Number(highest)
  })
