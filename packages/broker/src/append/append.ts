/**
 * Appends events to their topics' streams.
 *
 * Concurrent appends are coalesced: all that arrive in one pass of the event loop go to Redis in one pipeline, one
 * script call a topic, and so share one fsync (`appendfsync always` syncs once per pass of Redis's loop, before it
 * answers: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/).
 */
import { chunksOf } from '@sekali/core/chunks'
import { BrokerUnavailable } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import { advance, type Position } from '@sekali/core/position'
import { createAcknowledged } from '../loss/acknowledged.ts'
import type { Broker } from '../redis/connect.ts'
import type { Portion } from '../redis/entry.ts'
import { type Call, callAll, firstIdOf } from './calls.ts'
import { createRegistry } from './registry.ts'

/** Events in one script call at most: Redis serves nobody else while a script runs. */
const eventsPerCallMax = 1_000

export interface Appended {
  /** How many of the events Redis has for certain. */
  readonly queued: number
  /** Why the others failed: they may or may not be in their streams, and publishing all again is safe. */
  readonly failure: BrokerUnavailable | undefined
}

export interface AppendedAt extends Appended {
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
  /** The same, and resolves with their positions too. */
  appendWithPositions(events: readonly Event[]): Promise<AppendedAt>
}

/** Some events of one topic that wait for one answer. */
interface Waiting extends Portion {
  /**
   * Hears why they failed, or where the first event of their call is, and how many of the call come before
   * them.
   */
  readonly settle: (outcome: BrokerUnavailable | Position, before: number) => void
}

/** `onAppended` gets the topics that have new entries; it rings the doorbell. */
export function createAppender(broker: Broker, onAppended: (topic: TopicName) => void): Appender {
  let queues = new Map<TopicName, Waiting[]>()
  const sending = new Set<TopicName>()
  const acknowledged = createAcknowledged()
  const registry = createRegistry(broker, acknowledged, onAppended)
  const hands = { broker, acknowledged, registry }

  /**
   * Sends a call for each topic that waits and has none under way. Only one at a time, because a second could succeed
   * where the first was refused, and a publisher that sends all again would find the topic's order turned round.
   */
  async function flush(): Promise<void> {
    // A new map every time: one whose keys come and go is rehashed, and its old tables, dead but not yet collected,
    // would keep every waiting request alive through many a collection.
    const waiting = queues
    queues = new Map()
    const calls: TopicCall[] = []
    for (const [topic, queue] of waiting) {
      if (!sending.has(topic)) calls.push({ topic, waiting: takeCall(queue) })
      if (queue.length > 0) queues.set(topic, queue)
    }
    if (calls.length === 0) return
    for (const { topic } of calls) sending.add(topic)
    const outcomes = await callAll(hands, calls)
    for (const [index, call] of calls.entries()) settle(call, outcomes[index])
    if (queues.size > 0) void flush()
  }

  function settle({ topic, waiting }: TopicCall, outcome: unknown): void {
    sending.delete(topic)
    const rest = queues.get(topic) ?? []
    const isFailed = outcome instanceof Error
    const told = isFailed
      ? new BrokerUnavailable(`append to ${topic} failed`, { cause: outcome })
      : firstIdOf(outcome)
    // What waits behind a call that failed must not overtake it: it may be of the same batch.
    let before = 0
    for (const one of isFailed ? [...waiting, ...rest] : waiting) {
      one.settle(told, before)
      before += one.events.length
    }
    if (isFailed) queues.delete(topic)
    else onAppended(topic)
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
    const queue = queues.get(topic)
    if (queue) queue.push(waiting)
    else queues.set(topic, [waiting])
    schedule()
  }

  async function appendMany(events: readonly Event[], withPositions: boolean): Promise<AppendedAt> {
    let queued = 0
    let failure: BrokerUnavailable | undefined
    const positions: (Position | undefined)[] = []
    const indexes = withPositions ? new Map(events.map((event, index) => [event, index])) : undefined
    const groups = Map.groupBy(events, ({ topic }) => topic)
    const answers = [...groups].flatMap(([topic, all]) =>
      chunksOf(all, eventsPerCallMax).map(
        (chunk) =>
          new Promise<void>((resolve) => {
            const settle: Waiting['settle'] = (outcome, before) => {
              if (typeof outcome === 'string') {
                queued += chunk.length
                if (indexes) {
                  for (const [index, event] of chunk.entries()) {
                    positions[indexes.get(event) as number] = advance(outcome, before + index)
                  }
                }
              } else failure = outcome
              resolve()
            }
            enqueue(topic, { events: chunk, settle })
          }),
      ),
    )
    await Promise.all(answers)
    return { queued, failure, positions }
  }

  return {
    append: (event) =>
      new Promise((resolve, reject) => {
        const settle: Waiting['settle'] = (outcome) =>
          typeof outcome === 'string' ? resolve() : reject(outcome)
        enqueue(event.topic, { events: [event], settle })
      }),
    appendAll: async (events) => {
      const { queued, failure } = await appendMany(events, false)
      return { queued, failure }
    },
    appendWithPositions: (events) => appendMany(events, true),
  }
}

interface TopicCall extends Call {
  readonly waiting: readonly Waiting[]
}

/** Takes from the front of a queue what goes into one call. */
function takeCall(queue: Waiting[]): Waiting[] {
  let events = 0
  const end = queue.findIndex((waiting, index) => {
    events += waiting.events.length
    return index > 0 && events > eventsPerCallMax
  })
  return queue.splice(0, end === -1 ? queue.length : end)
}
