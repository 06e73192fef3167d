/** What is kept at the moment; note.ts says what that is. */
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import { ask, type Broker } from '../redis/connect.ts'
import { keepKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

export interface Keep {
  /** Of all slices together, about. */
  readonly bytes: number
  /** Of each slice, from the oldest on: its number, when it began by the keep's clock, in milliseconds, and its bytes. */
  readonly slices: readonly Slice[]
  /** The keep's clock: milliseconds in which PostgreSQL answered. */
  readonly clockMs: number
  /** How many milliseconds ago that clock was last moved on. */
  readonly silentMs: number
  /** Up to when, by that clock, something was let go of before its time; 0 if nothing ever was. */
  readonly shortMs: number
  /** What consumers were told to keep when they last stored something; 0 if nobody ever kept anything. */
  readonly keepMs: number
  readonly bytesMax: number
}

export interface Slice {
  readonly slice: number
  readonly sinceMs: number
  readonly bytes: number
}

// KEYS  1 the keep   ARGV  1 how many slices at most
// Returns bytes, clock, how long ago it was moved on, short, keepMs, bytesMax; then of each slice number, since, bytes.
const readScript = defineScript(`#!lua flags=no-writes
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local all = redis.call('HMGET', KEYS[1], 'bytes', 'clock', 'at', 'short', 'keepMs', 'bytesMax', 'first', 'last')
for i = 1, 8 do all[i] = tonumber(all[i]) or 0 end
local first, last = all[7], all[8]
local reply = {all[1], all[2], math.max(0, now - all[3]), all[4], all[5], all[6]}
if first == 0 then return reply end
for n = first, math.min(last, first + ARGV[1] - 1) do
  local slice = redis.call('HMGET', KEYS[1] .. ':' .. n, '@since', '@bytes')
  for _, value in ipairs({n, tonumber(slice[1]) or 0, tonumber(slice[2]) or 0}) do reply[#reply + 1] = value end
end
return reply
`)

/** There are some 24; more only once what is set was changed. */
const slicesMax = 1_000

/** Rejects with `BrokerUnavailable`. */
export async function readKeep(broker: Broker): Promise<Keep> {
  const reply = (await ask(broker, 'look at what is kept', (redis) =>
    runScript(redis, readScript, [keepKey(broker)], [String(slicesMax)]),
  )) as number[]
  const [bytes = 0, clockMs = 0, silentMs = 0, shortMs = 0, keepMs = 0, bytesMax = 0, ...ofSlices] = reply
  const slices = chunksOf(ofSlices, 3).map(([slice = 0, sinceMs = 0, own = 0]) => ({
    slice,
    sinceMs,
    bytes: own,
  }))
  return { bytes, slices, clockMs, silentMs, shortMs, keepMs, bytesMax }
}

// KEYS  1 the keep   ARGV  topics
// Returns of each how many of its bytes are kept, and nothing for those of which nothing is.
const bytesScript = defineScript(`#!lua flags=no-writes
local keep = redis.call('HMGET', KEYS[1], 'first', 'last')
local first, last = tonumber(keep[1]) or 1, tonumber(keep[2]) or 0
local fields, sums = {}, {}
for i, topic in ipairs(ARGV) do fields[i], sums[i] = '#' .. topic, false end
for n = first, last do
  local slice = redis.call('HMGET', KEYS[1] .. ':' .. n, unpack(fields))
  for i, bytes in ipairs(slice) do
    if bytes then sums[i] = (sums[i] or 0) + bytes end
  end
end
return sums
`)

/** Others wait for Redis meanwhile: of each topic it looks into every slice. */
const topicsPerScript = 50

/**
 * About how many bytes of the topics' streams are stored and kept; absent are topics of which nothing is kept. Rejects with
 * `BrokerUnavailable`.
 */
export async function readKeptBytes(
  broker: Broker,
  topics: readonly TopicName[],
): Promise<Map<TopicName, number>> {
  const kept = new Map<TopicName, number>()
  for (const portion of chunksOf(topics, topicsPerScript)) {
    const sums = (await ask(broker, 'look at what is kept', (redis) =>
      runScript(redis, bytesScript, [keepKey(broker)], portion),
    )) as (number | null)[]
    for (const [index, bytes] of sums.entries()) {
      if (bytes !== null) kept.set(portion[index] as TopicName, bytes)
    }
  }
  return kept
}
