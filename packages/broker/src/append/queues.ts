/**
 * What waits to be appended, a queue for each topic, and the calls that are under way.
 *
 * All that arrives in one pass of the event loop goes to Redis in one pipeline, one script call a topic. A topic has one
 * call under way at a time: a second could succeed where the first was refused, and a publisher that sends all again
 * would find the topic's order turned round.
 */
import { BrokerUnavailable, NotReplicated } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import type { Chunk } from '../redis/entry.ts'
import { type Call, callAll, firstIdOf, type Hands } from './calls.ts'
import { isConfirmed } from './replicas.ts'

/** Events in one script call at most: Redis serves nobody else while a script runs. */
export const eventsPerCallMax = 1_000

/** A chunk that waits for its answer. */
export interface Waiting extends Chunk {
  /** Receives the error, or the position of the call's first event and how many of the call come before these. */
  readonly settle: (settled: BrokerUnavailable | Position, before: number) => void
}

interface TopicCall extends Call {
  readonly waiting: readonly Waiting[]
}

/** Returns what puts events into a topic's queue. `onAppended` gets the topics that have new entries. */
export function createQueues(hands: Hands, onAppended: (topic: TopicName) => void) {
  let queues = new Map<TopicName, Waiting[]>()
  const sending = new Set<TopicName>()
  let isScheduled = false

  /** Sends a call for each topic that waits and has none under way. */
  async function flush(): Promise<void> {
    if (isConfirmed(hands.broker) && sending.size > 0) return // what is under way flushes again at its end
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
    const replies = await callAll(hands, calls)
    for (const [index, call] of calls.entries()) settle(call, replies[index])
    if (queues.size > 0) void flush()
  }

  function settle({ topic, waiting }: TopicCall, reply: unknown): void {
    sending.delete(topic)
    const rest = queues.get(topic) ?? []
    const isFailed = reply instanceof Error
    const settled = isFailed ? failureOf(topic, reply) : firstIdOf(reply)
    // What waits behind a call that failed must not overtake it: it may be of the same batch.
    let before = 0
    for (const one of isFailed ? [...waiting, ...rest] : waiting) {
      one.settle(settled, before)
      before += one.events.length
    }
    if (isFailed) queues.delete(topic)
    else onAppended(topic)
  }

  return (topic: TopicName, waiting: Waiting): void => {
    const queue = queues.get(topic)
    if (queue) queue.push(waiting)
    else queues.set(topic, [waiting])
    if (isScheduled) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      void flush()
    })
  }
}

const failureOf = (topic: TopicName, error: Error): BrokerUnavailable =>
  error instanceof NotReplicated
    ? error
    : new BrokerUnavailable(`append to ${topic} failed`, { cause: error })

/** Takes from the front of a queue what goes into one call. */
function takeCall(queue: Waiting[]): Waiting[] {
  let events = 0
  const end = queue.findIndex((waiting, index) => {
    events += waiting.events.length
    return index > 0 && events > eventsPerCallMax
  })
  return queue.splice(0, end === -1 ? queue.length : end)
}
