/**
 * What Redis remembers of each topic's log: how far it had come when a consumer last acknowledged. PostgreSQL may be put
 * back to an earlier state, and then only Redis knows that there was a later one; see new-epoch.ts. One script writes it
 * and trims; where entries are kept, they are noted behind it in the same write and trimmed later (keep/note.ts). A stream
 * is deleted only once its topic's row is remembered. So nothing is gone beyond what is remembered, and whoever finds an
 * older memory finds every entry behind it still in the stream. What is not remembered at all is seeded from the rows; see
 * remember-rows.ts.
 *
 * One field of a hash for each topic, also for those whose streams are retired; and one for each topic's number, because
 * a state that is put back may give that number to another topic.
 */
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import { ask, type Broker } from '../redis/connect.ts'
import { luaIsAfter } from '../redis/info.ts'
import { rememberedKey, streamKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

export interface Remembered {
  readonly epoch: number
  readonly head: number
  /** The id up to which the topic's stream was accounted for, and how many of its entries that were. */
  readonly position: Position
  readonly accounted: number
  readonly topicId: number
  /** The incarnation of that stream; `null` when the topic had none. */
  readonly group: string | null
  /** The head when this incarnation began; `null` when nobody knows. */
  readonly headBefore: number | null
  /** The smallest seq at which the log has forked so far; `null` when it never has. */
  readonly forkedAtMin: number | null
}

/** What is remembered of a topic, and of its number. */
export interface Memories {
  readonly own: Remembered | undefined
  /** The topic that last had this number. */
  readonly holder: TopicName | undefined
}

/** The fields of a topic, for HMGET; the reply is for {@link readMemories}. */
export const memoryFields = (topic: TopicName, topicId: number): [string, string] => [topic, idField(topicId)]

// No topic's name has a `#` in it.
const idField = (topicId: number) => `#${topicId}`

export function readMemories(reply: unknown): Memories {
  const [own, holder] = Array.isArray(reply) ? (reply as (string | null)[]) : []
  return { own: parse(own), holder: (holder ?? undefined) as TopicName | undefined }
}

/** Rejects with `BrokerUnavailable`. */
export const askMemories = (broker: Broker, topic: TopicName, topicId: number): Promise<Memories> =>
  ask(broker, `look at the memory of ${topic}`, async (redis) =>
    readMemories(await redis.hmget(rememberedKey(broker), ...memoryFields(topic, topicId))),
  )

/** What is remembered of these topics. Rejects with `BrokerUnavailable`. */
export async function readRemembered(
  broker: Broker,
  topics: readonly TopicName[],
): Promise<Map<TopicName, Remembered>> {
  if (topics.length === 0) return new Map()
  const texts = await ask(broker, 'read of what is remembered', (redis) =>
    redis.hmget(rememberedKey(broker), ...topics),
  )
  const all = new Map<TopicName, Remembered>()
  for (const [index, topic] of topics.entries()) note(all, topic, texts[index])
  return all
}

/** What is remembered of all topics. Rejects with `BrokerUnavailable`. */
export async function readAllRemembered(broker: Broker): Promise<Map<TopicName, Remembered>> {
  // Not by hgetall(): an object of tens of thousands of names is dear to make, and only to be taken apart again. In capitals
  // ioredis does not make one here either.
  const flat = (await ask(broker, 'read of what is remembered', (redis) =>
    redis.call('HGETALL', rememberedKey(broker)),
  )) as string[]
  // Nothing remembered would be taken for a Redis that has lost all.
  if (!Array.isArray(flat)) throw new TypeError('HGETALL was not answered with a list')
  const all = new Map<TopicName, Remembered>()
  for (let at = 0; at < flat.length; at += 2) {
    if (!flat[at]?.startsWith('#')) note(all, String(flat[at]), flat[at + 1])
  }
  return all
}

function note(all: Map<TopicName, Remembered>, name: string, text: string | null | undefined): void {
  const remembered = parse(text)
  if (remembered !== undefined) all.set(name as TopicName, remembered)
}

const form =
  /^(?<epoch>\d+) (?<head>\d+) (?<position>\d+-\d+) (?<accounted>\d+) (?<topicId>\d+) (?<before>\d+|-) (?<forked>\d+|-) (?<group>\S+)$/

/** Anybody may write there: `undefined` for what {@link format} does not write. */
function parse(text: string | null | undefined): Remembered | undefined {
  const parts = text?.match(form)?.groups
  if (parts === undefined) return undefined
  const orNull = (part = '-') => (part === '-' ? null : Number(part))
  return {
    epoch: Number(parts.epoch),
    head: Number(parts.head),
    position: parts.position as Position,
    accounted: Number(parts.accounted),
    topicId: Number(parts.topicId),
    headBefore: orNull(parts.before),
    forkedAtMin: orNull(parts.forked),
    group: parts.group === '-' ? null : String(parts.group),
  }
}

/** The position in what is remembered of a topic. */
export const positionIn = (text: string | null | undefined): Position | undefined => parse(text)?.position

const format = ({ epoch, head, position, accounted, topicId, headBefore, forkedAtMin, group }: Remembered) =>
  [epoch, head, position, accounted, topicId, headBefore ?? '-', forkedAtMin ?? '-', group ?? '-'].join(' ')

// A full Redis runs it, too: a turn that is not remembered would be trimmed all the same.
// KEYS  1 the hash of what is remembered, then the topics' streams
// ARGV  topic, its field by number, what to remember, the id below which to trim its stream or nothing, topic …
// Never goes back: whoever was held up between COMMIT and this knows less than whoever came after.
const rememberScript = defineScript(`#!lua flags=allow-oom
${luaIsAfter}
local function parts(text)
  local epoch, head, position = string.match(text or '', '^(%d+) (%d+) (%d+%-%d+) ')
  return tonumber(epoch), tonumber(head), position
end
local function isEarlier(epoch, head, position, oldEpoch, oldHead, oldPosition)
  if epoch ~= oldEpoch then return epoch < oldEpoch end
  if head ~= oldHead then return head < oldHead end
  return isAfter(oldPosition, position)
end
for i = 1, #ARGV, 4 do
  local oldEpoch, oldHead, oldPosition = parts(redis.call('HGET', KEYS[1], ARGV[i]))
  local epoch, head, position = parts(ARGV[i + 2])
  if not (oldEpoch and isEarlier(epoch, head, position, oldEpoch, oldHead, oldPosition)) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 2], ARGV[i + 1], ARGV[i])
  end
end
for i = 1, #ARGV, 4 do
  if ARGV[i + 3] ~= '' then redis.call('XTRIM', KEYS[(i + 7) / 4], 'MINID', '~', ARGV[i + 3]) end
end
`)

/** A topic, and what to remember of it. */
export interface ToRemember {
  readonly topic: TopicName
  readonly remembered: Remembered
  /** The id below which its stream may forget. Never MAXLEN: that would count, not look. */
  readonly trimBelow?: Position | undefined
}

/**
 * Remembers how far topics have come, and only then trims their streams: in one script, because a script that Redis does
 * not know any more is sent a second time, and whoever dies in between must not have trimmed. `~` drops whole nodes of a
 * stream, which is nearly free. For one write with other commands.
 */
export function remember(broker: Broker, redis: Redis, topics: readonly ToRemember[]): Promise<unknown> {
  const keys = [rememberedKey(broker), ...topics.map(({ topic }) => streamKey(broker, topic))]
  const args = topics.flatMap(({ topic, remembered, trimBelow }) => [
    topic,
    idField(remembered.topicId),
    format(remembered),
    trimBelow ?? '',
  ])
  return runScript(redis, rememberScript, keys, args)
}
