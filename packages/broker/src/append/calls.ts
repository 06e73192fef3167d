/**
 * The calls to Redis that append: one for each topic, as many as there are in one write.
 *
 * A stream is born together with its consumer group, and the group's name is random: the name is the stream's
 * *incarnation*. A stream that was deleted, flushed or lost and made anew therefore never has the group that the
 * store remembers, and cannot be mistaken for the old one, whatever its ids and counts look like.
 */
import { randomUUID } from 'node:crypto'
import type { TopicName } from '@sekali/core/event'
import { advance, type Position } from '@sekali/core/position'
import type { Acknowledged } from '../loss/acknowledged.ts'
import { readVouched, vouchCommand } from '../loss/vouch.ts'
import { askAll, type Broker } from '../redis/connect.ts'
import { type Chunk, fieldName, pack } from '../redis/entry.ts'
import { dirtyKey, groupPrefix, streamKey, topicsKey, tracesKey } from '../redis/keys.ts'
import { defineScript, isNoScript, type Script } from '../redis/script.ts'
import type { Registry } from './registry.ts'
import { confirmation, readConfirmation } from './replicas.ts'
import { luaAddTraces, luaTakeTraces, traceArguments } from './traces.ts'

// KEYS  1 the topic's stream, 2 the hash of topics with entries in flight, 3 the set of all topics' names
// ARGV  1 topic, 2 name of the group of a new stream, then the packs, each as its value and how many entries
//       are in it
// Returns the id of the first entry, in a list when the stream was made; the others have those that follow.
// For Redis a pack is one entry, so the count of entries and the last id are moved on to what they are for
// us: nobody else gets an id that is taken, and both tell of entries, not of packs.
// https://redis.io/docs/latest/commands/xsetid/ Runs whole or, where Redis refuses it (OOM, READONLY,
// MISCONF), not at all: what follows the first write is not refused any more.
const appendSource = `
local packs, entries = (#ARGV - 2) / 2, 0
for i = 4, #ARGV, 2 do entries = entries + ARGV[i] end
local added = 0
if entries > packs then
  local info, last = redis.pcall('XINFO', 'STREAM', KEYS[1]), '0-0'
  for i = 1, #info, 2 do
    if info[i] == 'entries-added' then added = info[i + 1] end
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
  -- Set by an operator, and beyond what Lua can count up.
  local ms, number = string.match(last, '(%d+)-(%d+)')
  if #number > 15 then redis.call('XSETID', KEYS[1], string.format('%.0f-0', ms + 1)) end
end
local made = false
local first = redis.call('XADD', KEYS[1], 'NOMKSTREAM', '*', '${fieldName}', ARGV[3])
if not first then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[2], '0', 'MKSTREAM')
  made = true
  first = redis.call('XADD', KEYS[1], '*', '${fieldName}', ARGV[3])
  -- Whatever took the old stream (FLUSHALL) may have taken its name too, and no sweep would ever find it.
  redis.call('SADD', KEYS[3], ARGV[1])
end
local last = first
if entries > 1 then
  local ms, number = string.match(first, '(%d+)-(%d+)')
  local function idAt(index) return ms .. '-' .. string.format('%.0f', number + index) end
  local at = tonumber(ARGV[4])
  for i = 5, #ARGV, 2 do
    -- Not '*': by Redis 7.0 time goes on while a script runs.
    last = redis.call('XADD', KEYS[1], #number > 15 and '*' or idAt(at), '${fieldName}', ARGV[i])
    at = at + ARGV[i + 1]
  end
  if entries > packs then
    last = idAt(entries - 1)
    redis.call('XSETID', KEYS[1], last, 'ENTRIESADDED', added + entries)
  end
end
redis.call('HSET', KEYS[2], ARGV[1], last)
`
const answerSource = 'return made and {first} or first'
const appendScript = defineScript(appendSource + answerSource)
/** The same, with traces. A script of its own, because few requests are traced. */
const tracedScript = defineScript(luaTakeTraces + appendSource + luaAddTraces + answerSource)

export interface Call {
  readonly topic: TopicName
  readonly waiting: readonly Chunk[]
}

export interface Hands {
  readonly broker: Broker
  readonly acknowledged: Acknowledged
  readonly registry: Registry
  /** Gets what Redis has taken of a topic. */
  readonly onTaken: OnTaken
}

/** Events of a topic that one call has brought to Redis, and how many characters they are there. */
export type OnTaken = (topic: TopicName, events: number, chars: number) => void

/** Makes each call once. Resolves with what Redis replied to each, or an `Error`. Never rejects. */
export async function callAll(hands: Hands, calls: readonly Call[]): Promise<unknown[]> {
  const replies = await attempt(hands, calls, 'bySha')
  // Redis forgets scripts when it restarts. What it answers NOSCRIPT to has not been run: send those whole.
  const unknown = calls.filter((_, index) => isNoScript(replies[index]))
  if (unknown.length === 0) return replies
  const again = await attempt(hands, unknown, 'whole')
  return replies.map((reply) => (isNoScript(reply) ? again.shift() : reply))
}

/** Nothing is appended to a topic before it is registered on the very connection that carries the append. */
async function attempt(hands: Hands, calls: readonly Call[], how: keyof Script): Promise<unknown[]> {
  const { registry } = hands
  const fresh = calls.map(({ topic }) => topic).filter((topic) => !registry.has(topic))
  if (fresh.length === 0) return await send(hands, calls, how)
  const failed = await registry.register(fresh)
  const ready = calls.filter(({ topic }) => registry.has(topic))
  const replies = await send(hands, ready, how)
  return calls.map((call) => {
    const at = ready.indexOf(call)
    return at === -1 ? (failed.get(call.topic) ?? new Error('the connection was lost')) : replies[at]
  })
}

async function send(hands: Hands, calls: readonly Call[], how: keyof Script): Promise<unknown[]> {
  const { broker, acknowledged, registry, onTaken } = hands
  const due = calls.map(({ topic }) => topic).filter(acknowledged.isDue)
  const chars: number[] = []
  try {
    const all = await askAll(broker, 'append', (redis) => [
      ...calls.map(({ topic, waiting }) => {
        const keys = [streamKey(broker, topic), dirtyKey(broker), topicsKey(broker)]
        const args = [topic, `${groupPrefix(broker)}${randomUUID()}`]
        const packs = pack(waiting)
        let length = 0
        for (const { value, entries } of packs) {
          args.push(value, String(entries))
          length += value.length
        }
        chars.push(length)
        if (!waiting.some(({ traceparent }) => traceparent !== undefined)) {
          return redis.call(...appendScript[how](keys, args))
        }
        args.push(...traceArguments(waiting, packs))
        return redis.call(...tracedScript[how]([...keys, tracesKey(broker, topic)], args))
      }),
      ...due.map((topic) => vouchCommand(broker, redis, topic, undefined, 'bySha')),
      ...confirmation(broker, redis, due.length > 0),
    ])
    const replies = all.slice(0, calls.length)
    const unconfirmed = readConfirmation(broker, all)
    if (unconfirmed !== undefined) return refuse(hands, calls, { replies, chars, unconfirmed })
    for (const [index, { topic, waiting }] of calls.entries()) {
      const reply = replies[index]
      if (reply instanceof Error) {
        registry.forget(topic)
        continue
      }
      registry.note(topic)
      const events = countOf(waiting)
      onTaken(topic, events, chars[index] as number)
      if (isMade(reply)) {
        // What is known is of another stream: the next call has this one counted.
        acknowledged.noteCount(topic, undefined)
      } else {
        acknowledged.noteCall(topic, advance(firstIdOf(reply), events - 1), events)
      }
    }
    for (const [index, topic] of due.entries()) {
      const vouched = all[calls.length + index]
      // Another time, then: the calls are remembered one by one meanwhile.
      if (vouched instanceof Error) registry.forget(topic)
      else acknowledged.noteCount(topic, readVouched(broker, topic, vouched))
    }
    return replies
  } catch (error) {
    return calls.map(() => error)
  }
}

interface Unconfirmed {
  readonly replies: readonly unknown[]
  readonly chars: readonly number[]
  readonly unconfirmed: Error
}

/** Redis has what it has taken, but nobody was promised it: it is neither acknowledged nor remembered. */
function refuse(
  { registry, onTaken }: Hands,
  calls: readonly Call[],
  { replies, chars, unconfirmed }: Unconfirmed,
): unknown[] {
  // To register asks the replicas, too, and first: nothing more is appended until enough of them confirm.
  registry.forgetAll()
  return calls.map(({ topic, waiting }, index) => {
    const reply = replies[index]
    if (reply instanceof Error) return reply
    onTaken(topic, countOf(waiting), chars[index] as number)
    return unconfirmed
  })
}

const countOf = (waiting: readonly Chunk[]) => waiting.reduce((sum, { events }) => sum + events.length, 0)

const isMade = (reply: unknown): boolean => Array.isArray(reply)

/** The id of a call's first entry, as its reply has it. */
export const firstIdOf = (reply: unknown): Position => (Array.isArray(reply) ? reply[0] : reply) as Position
