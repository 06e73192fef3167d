/**
 * What is stored stays in Redis for a time, the *keep*: a PostgreSQL that goes back by some seconds, because a standby that
 * lagged was promoted, gets it again. The log follows from the stream alone, so the same events get the same numbers.
 *
 * Consumers note after COMMIT what they have stored, in *slices*: up to which pack of each topic, and how much that was. A
 * slice ends with time, or with bytes. When the keep of a slice is over, the streams of its topics are trimmed to what it
 * says (trim.ts). So all topics keep the same time, a consumer that dies leaves nothing behind that only it knew, and a
 * turn has no trim of its own.
 *
 * Time is that in which PostgreSQL answered: while it is away, what is kept must wait for whatever comes back.
 */
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import type { Broker } from '../redis/connect.ts'
import { keepKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

/** How much is kept. */
export interface KeepLimits {
  /** For so long; 0 keeps nothing. */
  readonly keepMs: number
  /** So many bytes of all topics together. */
  readonly bytesMax: number
}

/** A share of the memory that Redis may use; and so many bytes where there is no limit. */
const memoryShare = 1 / 4
const bytesWithoutLimit = 128 * 1024 * 1024

/** How many bytes may be kept in a Redis that may use `memoryMax` bytes; 0 is no limit. */
export const keepBytesMax = (memoryMax: number): number =>
  memoryMax === 0 ? bytesWithoutLimit : Math.floor(memoryMax * memoryShare)

/** Where nothing is kept. */
export const nothingKept: KeepLimits = { keepMs: 0, bytesMax: 0 }

/** What was stored of a topic. */
export interface Kept {
  readonly topic: TopicName
  /** The last pack of it: it stays when the rest is trimmed, so that one can see that nothing behind it was. */
  readonly pack: Position
  /** About what it takes of Redis's memory. */
  readonly bytes: number
}

/** Slices that a whole keep has: by time, and as many again by bytes. */
const slicesPerKeep = 12
/** PostgreSQL counts as away when nobody has heard of it for longer: a slice, within these bounds. */
const silenceMsMin = 2_000
const silenceMsMax = 10_000

/** After how long without a turn PostgreSQL should be asked, so that it does not count as away. */
export const askAfterMs = (limits: Pick<KeepLimits, 'keepMs'>): number => silenceMs(limits) / 2

const silenceMs = (limits: Pick<KeepLimits, 'keepMs'>): number =>
  Math.min(Math.max(sliceMs(limits), silenceMsMin), silenceMsMax)

export const sliceMs = ({ keepMs }: Pick<KeepLimits, 'keepMs'>): number => Math.ceil(keepMs / slicesPerKeep)

// The names of topics have neither @ nor #.
// A full Redis runs it, too: what is not noted would not be trimmed.
// KEYS  1 the keep; its slices are that key, a colon, and their numbers
// ARGV  1 and 2 milliseconds and bytes of a slice, 3 by how many milliseconds the clock goes on at most, 4 and 5 for how long
//       and how much is kept; then topic, pack, bytes, topic …
// Returns how many bytes are kept.
const noteScript = defineScript(`#!lua flags=allow-oom
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local keep = redis.call('HMGET', KEYS[1], 'clock', 'at', 'first', 'last', 'since', 'filled', 'bytes')
local clock, at, first, last, since, filled, bytes = (function(all)
  for i = 1, 7 do all[i] = tonumber(all[i]) or 0 end
  return unpack(all, 1, 7)
end)(keep)
clock = clock + math.max(0, math.min(now - at, tonumber(ARGV[3])))
if #ARGV > 5 then
  if last < first or last == 0 or clock - since >= tonumber(ARGV[1]) or filled >= tonumber(ARGV[2]) then
    first, last, since, filled = math.max(first, 1), last + 1, clock, 0
    redis.call('HSET', KEYS[1] .. ':' .. last, '@since', since)
    redis.call('HSET', KEYS[1], 'first', first, 'last', last, 'since', since, 'keepMs', ARGV[4], 'bytesMax', ARGV[5])
  end
  local slice, added = KEYS[1] .. ':' .. last, 0
  for i = 6, #ARGV, 3 do
    redis.call('HSET', slice, ARGV[i], ARGV[i + 1])
    redis.call('HINCRBY', slice, '#' .. ARGV[i], ARGV[i + 2])
    added = added + ARGV[i + 2]
  end
  redis.call('HINCRBY', slice, '@bytes', added)
  filled, bytes = filled + added, bytes + added
end
redis.call('HSET', KEYS[1], 'clock', clock, 'at', now, 'filled', filled, 'bytes', bytes)
return bytes
`)

/**
 * Notes what was stored, or with nothing in `kept` that PostgreSQL answers. For one write with other commands. Resolves with
 * how many bytes are kept.
 */
export async function noteKept(
  broker: Broker,
  redis: Redis,
  kept: readonly Kept[],
  { keepMs, bytesMax }: KeepLimits,
): Promise<number> {
  const slice = [sliceMs({ keepMs }), bytesMax / slicesPerKeep]
  const args: unknown[] = [...slice, silenceMs({ keepMs }), keepMs, bytesMax]
  for (const { topic, pack, bytes } of kept) args.push(topic, pack, bytes)
  return Number(await runScript(redis, noteScript, [keepKey(broker)], args.map(String)))
}
