/**
 * Deletes the streams of topics that are drained and quiet: each costs Redis five kilobytes for ever, and sweeps a look.
 * The next append makes the stream anew, with a group of another name, as it makes that of a new topic.
 *
 * A stream that is gone counts as a loss unless its topic's row says `retired`. So a consumer retires in two transactions:
 * the first writes `retired` into the row; the second, holding the row again so that no turn comes in between, deletes the
 * stream. Killed between them, the consumer leaves a stream that another one deletes; killed after the deletion, a row that
 * tells why the stream is gone. The row keeps group and position: should a torn append-only file bring the stream back,
 * turns go on where they were.
 *
 * An append meanwhile is safe: the script looks and deletes in one step. Gateways vouch for streams by the names of their
 * groups (loss/vouch.ts), so what one remembers of a stream that was retired says nothing of the next. Redis that
 * has just started retires nothing, because a gateway may still have to vouch for what the stream has lost.
 */
import { BrokerUnavailable } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { askAll, type Broker } from '../redis/connect.ts'
import { luaInfo } from '../redis/info.ts'
import { dirtyKey, restoredKey, streamKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

// KEYS  1 the topic's stream, 2 the marks of topics in flight, 3 the hash of what was brought back
// ARGV  1 topic, 2 group, 3 how many entries are accounted for, 4 for how many ms it must have been quiet, 5 look
//       or delete
// Returns 1 when the stream is drained and quiet, or gone. One that has another group, too, is somebody's: it stays.
const retireScript = defineScript(`
${luaInfo}
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups ~= 1 or field(groups[1], 'name') ~= ARGV[2] or field(groups[1], 'pending') > 0 then return 0 end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
if field(info, 'entries-added') ~= tonumber(ARGV[3]) then return 0 end
local time = redis.call('TIME')
local quiet = time[1] * 1000 + time[2] / 1000 - string.match(field(info, 'last-generated-id'), '(%d+)-')
local running = 1000 * string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)')
if math.min(quiet, running) < tonumber(ARGV[4]) then return 0 end
if ARGV[5] == 'delete' then
  redis.call('DEL', KEYS[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
end
return 1
`)

/** A stream, and what its topic's row says of it. */
export interface Retirable {
  readonly topic: TopicName
  readonly group: string | null
  readonly accounted: number
}

/**
 * Those of the streams that have nothing beyond what is accounted for, and have been quiet for `quietMs`. Call it while
 * holding the topics' turns. Rejects with `BrokerUnavailable`.
 */
export const findDrained = <Stream extends Retirable>(
  broker: Broker,
  streams: readonly Stream[],
  quietMs: number,
): Promise<Stream[]> => runRetire(broker, streams, quietMs, 'look')

/**
 * Deletes those of the streams that {@link findDrained} would find, and resolves with them. Call it only after the topics'
 * rows say `retired`, while holding their turns. Rejects with `BrokerUnavailable`.
 */
export const deleteDrained = <Stream extends Retirable>(
  broker: Broker,
  streams: readonly Stream[],
  quietMs: number,
): Promise<Stream[]> => runRetire(broker, streams, quietMs, 'delete')

async function runRetire<Stream extends Retirable>(
  broker: Broker,
  streams: readonly Stream[],
  quietMs: number,
  how: 'look' | 'delete',
): Promise<Stream[]> {
  if (streams.length === 0) return []
  const outcomes = await askAll(broker, 'retiring of streams', (redis) =>
    streams.map(({ topic, group, accounted }) =>
      runScript(
        redis,
        retireScript,
        [streamKey(broker, topic), dirtyKey(broker), restoredKey(broker)],
        [topic, group ?? '', String(accounted), String(quietMs), how],
      ),
    ),
  )
  const error = outcomes.find((outcome) => outcome instanceof Error)
  if (error) throw new BrokerUnavailable('retiring of streams failed', { cause: error })
  return streams.filter((_, index) => outcomes[index] === 1)
}
