/**
 * Which topics have entries in flight, so that sweeps need not look at every stream: each append marks its topic with
 * the last id of the stream, in the same script (append/calls.ts), and whoever has accounted for all up to that id takes
 * the mark away, after COMMIT. A consumer that dies before that leaves the mark, and the next sweep finds it.
 *
 * The marks are hints. Entries that somebody else put into a stream have none, and a gateway of another version writes
 * none; so now and then one consumer scans all streams all the same (scan-claim.ts), as often as that costs next to nothing.
 */
import { isTopicName, type TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'
import { luaIsAfter } from '../redis/info.ts'
import { dirtyKey, streamKey, topicsKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

/** What a sweep reads each second. */
export interface Marked {
  /** The last id of each topic that has entries in flight, or had when its consumer died. */
  readonly marks: ReadonlyMap<TopicName, Position>
  /** How many topics there are. None, where there were some: Redis has lost its data. */
  readonly topics: number
}

/** Rejects with `BrokerUnavailable`. */
export async function readMarks(broker: Broker): Promise<Marked> {
  const [fields, topics] = await ask(broker, 'look at marks', (redis) =>
    Promise.all([redis.hgetall(dirtyKey(broker)), redis.scard(topicsKey(broker))]),
  )
  // Anybody may write there.
  const marks = Object.entries(fields).filter(([topic]) => isTopicName(topic)) as [TopicName, Position][]
  return { marks: new Map(marks), topics }
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
