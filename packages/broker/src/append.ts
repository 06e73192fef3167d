/**
 * Appends events to their topics' streams.
 *
 * Concurrent appends are coalesced: all that arrive in one pass of the event loop go to Redis in one pipeline, one
 * script call a topic, and so share one fsync (`appendfsync always` syncs once per pass of Redis's loop, before it
 * answers: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/).
 *
 * A stream is born together with its consumer group, and the group's name is random: the name is the stream's
 * *incarnation*. A stream that was deleted, flushed or lost and made anew therefore never has the group that the
 * store remembers, and cannot be mistaken for the old one, whatever its ids and counts look like.
 */
import { randomUUID } from 'node:crypto'
import { BrokerUnavailable } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ask, askAll, type Broker } from './connect.ts'
import { encode, fieldName } from './entry.ts'
import { groupPrefix, streamKey, topicsKey } from './keys.ts'
import { defineScript, isNoScript, type Script } from './script.ts'

// KEYS  1 the topic's stream
// ARGV  1 name of the group of a new stream, then the events, encoded
// Returns 1 when the stream was made, 0 when it was there.
// Runs whole or, where Redis refuses it (OOM, READONLY, MISCONF), not at all.
const appendScript = defineScript(`
local made = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  made = 1
end
for i = 2, #ARGV do
  redis.call('XADD', KEYS[1], '*', '${fieldName}', ARGV[i])
end
return made
`)

// The same, but returns what the other does and then the id of each entry: for those who wait for what comes of them.
// Of its own, because everybody else would pay for the ids.
const tellingScript = defineScript(`
local told = {0}
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  told[1] = 1
end
for i = 2, #ARGV do
  told[i] = redis.call('XADD', KEYS[1], '*', '${fieldName}', ARGV[i])
end
return told
`)

/** Events in one script call at most: Redis serves nobody else while a script runs. */
const eventsPerCallMax = 1_000

export interface Appended {
  /** How many of the events Redis has for certain. */
  readonly queued: number
  /** Why the others failed: they may or may not be in their streams, and publishing all again is safe. */
  readonly failure: BrokerUnavailable | undefined
}

export interface Told extends Appended {
  /** Where each of the events is in its topic's stream; undefined for those that failed. */
  readonly positions: readonly (Position | undefined)[]
}

export interface Appender {
  /**
   * Resolves once Redis has the event, durably if Redis is set up so (see health.ts).
   * Rejects with {@link BrokerUnavailable}: then the event may or may not be in the stream, and publishing it
   * again is safe. Two appends of one topic keep the order in which they were called.
   */
  append(event: Event): Promise<void>
  /** Appends many. Within a topic they keep their order, and none is appended after one that failed. */
  appendAll(events: readonly Event[]): Promise<Appended>
  /** The same, and tells where they are. */
  appendAndTell(events: readonly Event[]): Promise<Told>
}

/** Some events of one topic that wait for one answer. */
interface Waiting {
  readonly events: readonly Event[]
  readonly settle: (failure: BrokerUnavailable | undefined, positions: readonly Position[]) => void
  /** Whether `settle` is to hear where they are. */
  readonly isTold: boolean
}

/** `onAppended` hears the topic of every append that succeeded; it rings the doorbell. */
export function createAppender(broker: Broker, onAppended: (topic: TopicName) => void): Appender {
  let lanes = new Map<TopicName, Waiting[]>()
  const sending = new Set<TopicName>()
  const registered = new Set<TopicName>()
  // A Redis that came back may have lost the registry.
  broker.redis.on('close', () => registered.clear())

  /**
   * Sends a call for each topic that waits and has none under way. Only one at a time, because a second could succeed
   * where the first was refused, and a publisher that sends all again would find the topic's order turned round.
   */
  async function flush(): Promise<void> {
    // A new map every time: one whose keys come and go is rehashed, and its old tables, dead but not yet collected,
    // would keep every waiting request alive through many a collection.
    const waiting = lanes
    lanes = new Map()
    const calls: Call[] = []
    for (const [topic, lane] of waiting) {
      if (!sending.has(topic)) calls.push({ topic, waiting: takeCall(lane) })
      if (lane.length > 0) lanes.set(topic, lane)
    }
    if (calls.length === 0) return
    for (const { topic } of calls) sending.add(topic)
    const outcomes = await callAll(broker, registered, calls)
    for (const [index, call] of calls.entries()) settle(call, outcomes[index])
    if (lanes.size > 0) void flush()
  }

  function settle({ topic, waiting }: Call, outcome: unknown): void {
    sending.delete(topic)
    const rest = lanes.get(topic) ?? []
    const failure =
      outcome instanceof Error
        ? new BrokerUnavailable(`append to ${topic} failed`, { cause: outcome })
        : undefined
    // What waits behind a call that failed must not overtake it: it may be of the same batch.
    let told = 1
    for (const one of failure ? [...waiting, ...rest] : waiting) {
      one.settle(failure, Array.isArray(outcome) ? outcome.slice(told, told + one.events.length) : [])
      told += one.events.length
    }
    if (failure) lanes.delete(topic)
    if (!failure) onAppended(topic)
  }

  let isScheduled = false
  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      void flush()
    })
  }

  function enqueue(topic: TopicName, waiting: Waiting): void {
    const lane = lanes.get(topic)
    if (lane) lane.push(waiting)
    else lanes.set(topic, [waiting])
    schedule()
  }

  async function appendMany(events: readonly Event[], isTold: boolean): Promise<Told> {
    let queued = 0
    let failure: BrokerUnavailable | undefined
    const positions: (Position | undefined)[] = []
    const places = isTold ? new Map(events.map((event, index) => [event, index])) : undefined
    const groups = Map.groupBy(events, ({ topic }) => topic)
    const answers = [...groups].flatMap(([topic, all]) =>
      chunksOf(all, eventsPerCallMax).map(
        (chunk) =>
          new Promise<void>((resolve) => {
            const settle: Waiting['settle'] = (failed, told) => {
              if (failed) failure = failed
              else queued += chunk.length
              for (const [index, position] of told.entries()) {
                positions[places?.get(chunk[index] as Event) ?? 0] = position
              }
              resolve()
            }
            enqueue(topic, { events: chunk, settle, isTold })
          }),
      ),
    )
    await Promise.all(answers)
    return { queued, failure, positions }
  }

  return {
    append: (event) =>
      new Promise((resolve, reject) => {
        const settle: Waiting['settle'] = (failure) => (failure ? reject(failure) : resolve())
        enqueue(event.topic, { events: [event], settle, isTold: false })
      }),
    appendAll: async (events) => {
      const { queued, failure } = await appendMany(events, false)
      return { queued, failure }
    },
    appendAndTell: (events) => appendMany(events, true),
  }
}

const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )

interface Call {
  readonly topic: TopicName
  readonly waiting: readonly Waiting[]
}

/** Takes from the front of a lane what goes into one call. */
function takeCall(lane: Waiting[]): Waiting[] {
  let events = 0
  const end = lane.findIndex((waiting, index) => {
    events += waiting.events.length
    return index > 0 && events > eventsPerCallMax
  })
  return lane.splice(0, end === -1 ? lane.length : end)
}

/** Makes each call once. What Redis answers is the call's outcome, an `Error` included. Never rejects. */
async function callAll(
  broker: Broker,
  registered: Set<TopicName>,
  calls: readonly Call[],
): Promise<unknown[]> {
  const outcomes = await attempt(broker, registered, calls, 'bySha')
  // Redis forgets scripts when it restarts. What it answers NOSCRIPT to has not been run: send those whole.
  const unknown = calls.filter((_, index) => isNoScript(outcomes[index]))
  if (unknown.length === 0) return outcomes
  const again = await attempt(broker, registered, unknown, 'whole')
  return outcomes.map((outcome) => (isNoScript(outcome) ? again.shift() : outcome))
}

async function attempt(
  broker: Broker,
  registered: Set<TopicName>,
  calls: readonly Call[],
  how: keyof Script,
): Promise<unknown[]> {
  // Registered before the first append, so that consumers find every topic that has an entry.
  const fresh = calls.map(({ topic }) => topic).filter((topic) => !registered.has(topic))
  try {
    const replies = await askAll(broker, 'append', (redis) => [
      ...(fresh.length > 0 ? [redis.sadd(topicsKey(broker), ...fresh)] : []),
      ...calls.map(({ topic, waiting }) => {
        const args = [`${groupPrefix(broker)}${randomUUID()}`]
        for (const { events } of waiting) for (const event of events) args.push(encode(event))
        const script = waiting.some(({ isTold }) => isTold) ? tellingScript : appendScript
        return redis.call(...script[how]([streamKey(broker, topic)], args))
      }),
    ])
    const [registration, ...outcomes] = fresh.length === 0 ? [undefined, ...replies] : replies
    if (registration instanceof Error) return calls.map(() => registration)
    for (const topic of fresh) registered.add(topic)
    // A stream made anew: whatever took the old one (FLUSHALL) may have taken the registry too, and no consumer
    // would ever look for it.
    const made = calls.flatMap(({ topic }, index) => (isMade(outcomes[index]) ? [topic] : []))
    if (made.length > 0) await ask(broker, 'registration', (redis) => redis.sadd(topicsKey(broker), ...made))
    return outcomes
  } catch (error) {
    return calls.map(() => error)
  }
}

const isMade = (outcome: unknown): boolean => (Array.isArray(outcome) ? outcome[0] : outcome) === 1
