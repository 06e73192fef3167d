/**
 * Once a second every consumer looks at all streams, in Redis only: the doorbell is lossy, and a consumer that died
 * in a turn leaves news that nobody has. PostgreSQL is not asked while nothing happens.
 */
import { type Broker, untilConnected } from '@sekali/broker/connect'
import { removeGoneConsumers } from '@sekali/broker/janitor'
import { announce } from '@sekali/broker/presence'
import { readStreams } from '@sekali/broker/streams'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { News } from '@sekali/process/news'
import type { Progress } from './loop.ts'

/** What a consumer remembers of the topics, so that it need not ask PostgreSQL about quiet ones. */
export interface Memory {
  /** The id up to which a stream was accounted for when a consumer last said so, this one or another. */
  readonly caughtUp: Map<TopicName, Position>
  /** How far this consumer itself has brought a topic. */
  readonly committed: Map<TopicName, Position>
  /** Topics on which entries stayed pending although everything is accounted for. */
  readonly untidy: Set<TopicName>
}

export const createMemory = (): Memory => ({ caughtUp: new Map(), committed: new Map(), untidy: new Set() })

const sweepMs = 1_000
const janitorSweeps = 30
/** How long the first sweep waits for Redis, so that a new consumer is on show at once. */
const connectMs = 2_000

interface SweepContext {
  readonly broker: Broker
  readonly consumer: string
  readonly startedAt: string
  readonly log: Logger
}

/** Sweeps until `signal` is aborted. Never rejects. */
export async function runSweeps(
  { broker, consumer, startedAt, log }: SweepContext,
  news: News<TopicName>,
  memory: Memory,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  let pendingBefore = new Set<TopicName>()
  await untilConnected(broker, connectMs).catch(() => undefined) // then the sweeps say what is wrong
  for (let round = 1; !signal.aborted; round++) {
    try {
      // A full Redis refuses this one, and must be swept all the same: to drain is what makes room in it.
      await announce(broker, { name: consumer, pid: process.pid, startedAt, ...progress }).catch((error) =>
        log.debug({ err: error }, 'announcement failed'),
      )
      const streams = await readStreams(broker, memory.caughtUp.keys())
      const pending = new Set<TopicName>()
      const gone = new Set(memory.caughtUp.keys())
      for (const [name, { lastId, pending: count }] of streams) {
        const topic = name as TopicName
        gone.delete(topic)
        const isQuiet = memory.caughtUp.get(topic) === lastId
        if (!isQuiet) news.add(topic)
        if (count > 0) pending.add(topic)
        // Pending for two sweeps with nothing new: not a turn in progress, but what a crash left behind.
        if (isQuiet && count > 0 && pendingBefore.has(topic)) {
          memory.untidy.add(topic)
          news.add(topic)
        }
      }
      pendingBefore = pending
      // A stream that is not there any more: a turn finds out what is lost with it.
      for (const topic of gone) {
        memory.caughtUp.delete(topic)
        news.add(topic)
      }
      if (round % janitorSweeps === 0) {
        const removed = await removeGoneConsumers(broker, streams.keys())
        if (removed > 0) log.info({ removed }, 'removed consumers that are gone')
      }
    } catch (error) {
      log.debug({ err: error }, 'sweep failed')
    }
    // Jitter, so that the consumers of one group do not look all at once.
    await pause(sweepMs * (0.75 + Math.random() / 2), signal)
  }
}
