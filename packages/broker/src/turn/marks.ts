/**
 * Which topics have entries in flight, so that sweeps need not look at every stream: each append marks its topic with
 * the last id of the stream, in the same script (append/calls.ts), and whoever has accounted for all up to that id takes
 * the mark away, after COMMIT. A consumer that dies before that leaves the mark, and the next sweep finds it.
 *
 * The marks are hints. Entries that somebody else put into a stream have none, and a gateway of another version writes
 * none; so now and then one consumer looks at all streams all the same, as often as that costs next to nothing.
 */
import { isTopicName, type TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'
import { luaIsAfter } from '../redis/info.ts'
import { dirtyKey, streamKey, sweepKey, topicsKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

/** What a sweep reads each second. */
export interface Marks {
  /** The last id of each topic that has entries in flight, or had when its consumer died. */
  readonly dirty: ReadonlyMap<TopicName, Position>
  /** How many topics there are. None, where there were some: Redis has lost its data. */
  readonly topics: number
}

/** Rejects with `BrokerUnavailable`. */
export async function readMarks(broker: Broker): Promise<Marks> {
  const [marks, topics] = await ask(broker, 'look at marks', (redis) =>
    Promise.all([redis.hgetall(dirtyKey(broker)), redis.scard(topicsKey(broker))]),
  )
  // Anybody may write there.
  const dirty = Object.entries(marks).filter(([topic]) => isTopicName(topic)) as [TopicName, Position][]
  return { dirty: new Map(dirty), topics }
}

/** A topic, and up to where all of its stream is accounted for; `undefined` when it has no stream. */
export interface Accounted {
  readonly topic: TopicName
  readonly upTo: Position | undefined
}

// KEYS  1 the marks, then the topics' streams
// ARGV  topic, id up to which it is accounted for or nothing, topic, id …
// Takes away the marks of topics that have nothing behind that id, or no stream.
const clearScript = defineScript(`
${luaIsAfter}
for i = 1, #ARGV, 2 do
  local mark = redis.call('HGET', KEYS[1], ARGV[i])
  if mark then
    local isDone
    if ARGV[i + 1] == '' then isDone = redis.call('EXISTS', KEYS[(i + 3) / 2]) == 0
    else isDone = not isAfter(mark, ARGV[i + 1]) end
    if isDone then redis.call('HDEL', KEYS[1], ARGV[i]) end
  end
end
`)

/** Takes the marks of topics away that have nothing in flight any more. For one write with other commands. */
export function clearMarks(broker: Broker, redis: Redis, accounted: readonly Accounted[]): Promise<unknown> {
  const keys = [dirtyKey(broker), ...accounted.map(({ topic }) => streamKey(broker, topic))]
  const args = accounted.flatMap(({ topic, upTo }) => [topic, upTo ?? ''])
  return runScript(redis, clearScript, keys, args)
}

// A full Redis must be swept, too: to drain is what makes room in it.
// KEYS  1 who looks at all streams
// ARGV  1 consumer, 2 for how many milliseconds, 3 whether nobody else may have it: NX, or nothing
// Returns 1 when it is this consumer.
const claimScript = defineScript(`#!lua flags=allow-oom
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], unpack(ARGV, 3)) and 1 or 0
`)

/**
 * Whether it is this consumer that is to look at all streams now; then nobody else does for `ms`. Rejects with
 * `BrokerUnavailable`.
 */
export const claimSweep = async (broker: Broker, consumer: string, ms: number): Promise<boolean> =>
  (await claim(broker, consumer, ms, 'NX')) === 1

/** Has nobody look at all streams for `ms` from now on. Rejects with `BrokerUnavailable`. */
export const postponeSweep = (broker: Broker, consumer: string, ms: number): Promise<unknown> =>
  claim(broker, consumer, ms)

const claim = (broker: Broker, consumer: string, ms: number, ...how: string[]): Promise<unknown> =>
  ask(broker, 'claim of the sweep', (redis) =>
    runScript(redis, claimScript, [sweepKey(broker)], [consumer, String(Math.ceil(ms)), ...how]),
  )
