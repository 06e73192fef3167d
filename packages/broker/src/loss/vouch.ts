/**
 * Redis cannot tell which acknowledged entries it lost. Others can: each gateway knows what it was told was appended,
 * each topic's row knows what a turn saw. So in every new history (see history.ts) each of them *vouches* for a topic
 * before it appends to it or reads it: it reports what it knows of earlier histories. The entries that are missing are
 * added to the stream's count of entries ever added. Consumers then find them vanished and count them as lost, just as entries
 * that somebody deleted.
 *
 * Any number may vouch, in any order, as often as they like. Whoever knows a later count knows all that came before it
 * (`id`, `added`); what came after the latest count is the sum of the calls that each remembers of its own. Nobody
 * appends before vouching. So the first to vouch sees the stream exactly as Redis restored it, and records its size;
 * whoever vouches later, after new appends, compares with that record.
 *
 * The count is exact, unless whoever knew more has ended too, or has not seen that the stream was made anew: then it is
 * a minimum.
 */
import { BrokerUnavailable } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'
import { luaInfo, luaIsAfter } from '../redis/info.ts'
import { groupPrefix, restoredKey, streamKey } from '../redis/keys.ts'
import { defineScript, type Script } from '../redis/script.ts'
import { historyChars } from './history.ts'

/** What a gateway, or a topic's row, knows of the topic's stream. */
export interface Knowledge {
  /** The history of that knowledge; `''`: the current history, in which the stream went backwards without a restart. */
  readonly history: string
  /** The incarnation. */
  readonly group: string
  /** How many entries the stream had ever had up to an id. */
  readonly added: number
  readonly id: Position
  /** Its own calls after that id: how many entries each appended, by its last id. */
  readonly calls?: ReadonlyMap<Position, number>
}

/** How the stream stands now; `undefined` when it is not there, or its group is not. */
export interface Vouched {
  readonly history: string
  readonly group: string
  readonly id: Position
  readonly added: number
  /** How many entries are missing that nobody had reported before. */
  readonly lost: number
}

// A full Redis runs it, too (allow-oom): whoever reads must vouch first, and reading is what makes room again.
// KEYS  1 the topic's stream, 2 the hash of what was brought back
// ARGV  1 topic, 2 what our groups' names begin with, then, of those who know something:
//       3 history, 4 group, 5 id, 6 added, then the calls: id, entries, id, entries …
// Returns history, group, id, added, lost; nothing when there is no stream, or none of our groups.
// The note of a topic: history and group in which it was made; promoted, the replication ID that the process had
// before its last promotion (a primary that comes back from having been a replica has the data of another,
// and must not compare with what it brought back before); restored, how many entries were brought back; id
// and added, the latest count that anybody knows of; calls, behind it; declared, how many are added so far.
const vouchScript = defineScript(`#!lua flags=allow-oom
${luaInfo}
${luaIsAfter}
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local group = field(ownGroup(KEYS[1], ARGV[2]) or {}, 'name')
if not group then return {} end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local last, added = field(info, 'last-generated-id'), field(info, 'entries-added')
local server = redis.call('INFO', 'server')
local history = string.sub(string.match(server, 'run_id:(%w+)') or '', 1, ${historyChars})
local promoted = string.match(redis.call('INFO', 'replication'), 'master_replid2:(%w+)') or ''

local note = redis.call('HGET', KEYS[2], ARGV[1])
note = note and cjson.decode(note)
local isNoted = note and note.history == history and note.promoted == promoted and note.group == group and ARGV[3] ~= ''
if not isNoted then
  note = {history = history, promoted = promoted, group = group, restored = added, id = last, added = added, calls = {}, declared = 0}
end
local lost = 0
local isOlder = ARGV[3] and ARGV[3] ~= history and ARGV[4] == group
if isOlder then
  if isAfter(ARGV[5], note.id) then note.id, note.added = ARGV[5], tonumber(ARGV[6]) end
  for i = 7, #ARGV, 2 do note.calls[ARGV[i]] = tonumber(ARGV[i + 1]) end
  local total, newest = note.added, note.id
  for id, count in pairs(note.calls) do
    if not isAfter(id, note.id) then
      note.calls[id] = nil
    else
      total = total + count
      if isAfter(id, newest) then newest = id end
    end
  end
  lost = math.max(0, total - note.restored - note.declared)
  note.declared = note.declared + lost
  -- No id is given out twice, and whoever looks at the last id sees that there is news.
  if not isAfter(newest, last) then
    local ms, number = string.match(last, '(%d+)-(%d+)')
    newest = lost > 0 and ms .. '-' .. string.format('%.0f', number + 1) or last
  end
  if newest ~= last then
    last, added = newest, added + lost
    redis.call('XSETID', KEYS[1], last, 'ENTRIESADDED', added)
  end
end
if isOlder or not isNoted then redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(note)) end
return {history, group, last, added, lost}
`)

/** The command, for a pipeline; its reply is for {@link readVouched}. */
export function vouchCommand(
  broker: Broker,
  redis: Redis,
  topic: TopicName,
  known: Knowledge | undefined,
  how: keyof Script,
): Promise<unknown> {
  const args = [topic, groupPrefix(broker)]
  if (known) args.push(known.history, known.group, known.id, String(known.added))
  for (const [id, count] of known?.calls ?? []) args.push(id, String(count))
  return redis.call(...vouchScript[how]([streamKey(broker, topic), restoredKey(broker)], args))
}

/** Reads the reply, and logs what is lost. Throws {@link BrokerUnavailable} if Redis answered with an error. */
export function readVouched({ log }: Broker, topic: TopicName, reply: unknown): Vouched | undefined {
  if (!Array.isArray(reply)) throw new BrokerUnavailable(`vouching for ${topic} failed`, { cause: reply })
  if (reply.length === 0) return undefined
  const [history, group, id, added, lost] = reply as [string, string, Position, number, number]
  if (lost > 0) log.error({ topic, lost }, 'redis has lost entries that it had acknowledged')
  return { history, group, id, added, lost }
}

/** Reports what is known of the topic's stream. Rejects with {@link BrokerUnavailable}. */
export async function vouch(
  broker: Broker,
  topic: TopicName,
  known: Knowledge | undefined,
): Promise<Vouched | undefined> {
  const reply = await ask(broker, `vouching for ${topic}`, (redis) =>
    vouchCommand(broker, redis, topic, known, 'whole'),
  )
  return readVouched(broker, topic, reply)
}
