/**
 * Lets go of what is kept, the oldest slice first: when its time is over, or before that when memory is needed.
 *
 * Before that PostgreSQL is asked whether it still has what was stored in the slice. Where it has gone back, the stream is
 * all there is: its topic is left out, and is noted again when it is stored again.
 *
 * Any number may trim at once: the slice goes last, so whoever dies in between leaves it to the next.
 */
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import { comparePositions, type Position } from '@sekali/core/position'
import { ask, askAll, type Broker } from '../redis/connect.ts'
import { keepKey, keepSliceKey, streamKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'
import { type Keep, readKeep, type Slice } from './keep.ts'
import { sliceMs } from './note.ts'

/** How far PostgreSQL has come with the topics; `undefined` when it does not answer. Never rejects. */
export type ReadPositions = (
  topics: readonly TopicName[],
) => Promise<ReadonlyMap<TopicName, Position> | undefined>

/** Trims what has been kept for `keepMs`. Rejects with `BrokerUnavailable`. */
export async function trimExpired(
  broker: Broker,
  keep: Keep,
  keepMs: number,
  readPositions: ReadPositions,
): Promise<void> {
  for (const slice of keep.slices) {
    // What comes later than a slice's length after its beginning is in the next.
    if (slice.sinceMs + sliceMs({ keepMs }) + keepMs > keep.clockMs) return
    // PostgreSQL is away: time does not count, and what is kept may be needed.
    if (!(await trimSlice(broker, slice, { readPositions, isEarly: false, isUrgent: false }))) return
  }
}

/**
 * Trims so many bytes before their time, as far as there are any. `isUrgent`: also when PostgreSQL does not answer. Resolves
 * with how many were let go of; rejects with `BrokerUnavailable`.
 */
export async function giveUp(
  broker: Broker,
  bytes: number,
  isUrgent: boolean,
  readPositions: ReadPositions,
): Promise<number> {
  let freed = 0
  for (const slice of (await readKeep(broker)).slices) {
    if (freed >= bytes) break
    if (!(await trimSlice(broker, slice, { readPositions, isEarly: true, isUrgent }))) break
    freed += slice.bytes
  }
  return freed
}

interface How {
  readonly readPositions: ReadPositions
  readonly isEarly: boolean
  readonly isUrgent: boolean
}

/** Trims to what a slice says, and forgets it. Resolves with whether it did. */
async function trimSlice(
  broker: Broker,
  { slice }: Slice,
  { readPositions, isEarly, isUrgent }: How,
): Promise<boolean> {
  const packs = await takeSlice(broker, slice)
  const topics = [...packs.keys()]
  const positions = topics.length === 0 ? new Map<TopicName, Position>() : await readPositions(topics)
  if (positions === undefined && !isUrgent) return false
  const isStored = ([topic, pack]: [TopicName, Position]) => {
    const position = positions?.get(topic)
    return positions === undefined || (position !== undefined && comparePositions(pack, position) <= 0)
  }
  for (const portion of chunksOf([...packs].filter(isStored), topicsPerWrite)) {
    // `~` drops whole nodes of the stream, which is nearly free. Never MAXLEN: that would count, not look.
    await askAll(broker, 'trim of what was kept', (redis) =>
      portion.map(([topic, pack]) => redis.xtrim(streamKey(broker, topic), 'MINID', '~', pack)),
    )
  }
  await ask(broker, 'trim of what was kept', (redis) =>
    runScript(
      redis,
      forgetScript,
      [keepKey(broker), keepSliceKey(broker, slice)],
      [String(slice), isEarly ? '1' : '0'],
    ),
  )
  return true
}

const topicsPerWrite = 500

// KEYS  1 the keep, 2 one of its slices   ARGV  1 the slice's number
// Nothing is noted in it any more. Returns what is: field, value, field …
const takeScript = defineScript(`#!lua flags=allow-oom
if redis.call('HGET', KEYS[1], 'last') == ARGV[1] then redis.call('HSET', KEYS[1], 'filled', '1e15') end
return redis.call('HGETALL', KEYS[2])
`)

/** The last pack of each topic that was stored in the slice, to which nothing is added from now on. */
async function takeSlice(broker: Broker, slice: number): Promise<Map<TopicName, Position>> {
  const keys = [keepKey(broker), keepSliceKey(broker, slice)]
  const fields = (await ask(broker, 'look at what is kept', (redis) =>
    runScript(redis, takeScript, keys, [String(slice)]),
  )) as string[]
  const packs = chunksOf(fields, 2).filter(([field = '']) => /^[^@#]/.test(field))
  return new Map(packs as [TopicName, Position][])
}

// KEYS  1 the keep, 2 one of its slices   ARGV  1 the slice's number, 2 whether that is before its time
const forgetScript = defineScript(`#!lua flags=allow-oom
local keep = redis.call('HMGET', KEYS[1], 'first', 'last', 'bytes', 'clock', 'short')
local first, last, bytes, clock, short = unpack(keep)
local slice = tonumber(ARGV[1])
if not first or slice < tonumber(first) then return end
local own = tonumber(redis.call('HGET', KEYS[2], '@bytes')) or 0
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'first', slice + 1, 'bytes', math.max(0, (tonumber(bytes) or 0) - own))
if ARGV[2] == '1' then
  local nextSince = redis.call('HGET', KEYS[1] .. ':' .. (slice + 1), '@since')
  redis.call('HSET', KEYS[1], 'short', math.max(tonumber(short) or 0, tonumber(nextSince or clock)))
end
`)
