/**
 * Once a second every consumer looks which topics have entries in flight, in Redis only: the doorbell is lossy, and a
 * consumer that died in a turn leaves news that nobody has. PostgreSQL is not asked while nothing happens.
 *
 * The marks that it reads (broker/turn/marks.ts) are hints. So one consumer at a time also looks at all streams, as often as
 * that takes no more than a small part of Redis's time: with few topics that is at every sweep, with thousands of
 * idle ones some times a minute. It then also retires the streams of topics that have been quiet for long.
 */
import { readClock } from '@sekali/broker/clock'
import { untilConnected } from '@sekali/broker/connect'
import { removeGoneConsumers } from '@sekali/broker/janitor'
import { claimSweep, postponeSweep, readMarks } from '@sekali/broker/marks'
import { readMemoryShare } from '@sekali/broker/memory'
import { announce } from '@sekali/broker/presence'
import { readStreams, type StreamFigures } from '@sekali/broker/streams'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import type { WorkQueue } from '@sekali/process/work-queue'
import { readStandings } from '@sekali/store/standing'
import type { Memory, Progress } from '../memory.ts'
import { type RetireContext, retireStreams } from './retire.ts'

const sweepMs = 1_000
/** How long the first sweep waits for Redis, so that a new consumer is on show at once. */
const connectMs = 2_000
/**
 * A look at all streams costs Redis some 10 µs each. After it nobody does so for two hundred times as long, but for a
 * minute at the most. Not by the time that it took: on a busy machine that says little.
 */
const lookAgainMsPerStream = 2
const lookAgainMsMax = 60_000
/** For so long nobody else looks at them while one does. */
const lookMsMax = 15_000
const janitorEveryMs = 30_000
/** A Redis that is fuller than this needs the room: then streams need not have been quiet for longer than that. */
const memoryShareMax = 0.75
const quietMsTight = 60_000
/** Streams that are retired after one look: each costs PostgreSQL two updates of a row. */
const retiredMax = 2_048

export interface SweepContext extends RetireContext {
  readonly consumer: string
  readonly startedAt: string
}

/** Sweeps until `signal` is aborted. Never rejects. */
export async function runSweeps(
  context: SweepContext,
  queue: WorkQueue<TopicName>,
  memory: Memory,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { broker, consumer, startedAt, log } = context
  const { sweep, retired } = createSweep(context, queue, memory, signal)
  await untilConnected(broker, connectMs).catch(() => undefined) // then the sweeps say what is wrong
  while (!signal.aborted) {
    // A full Redis refuses this one, and must be swept all the same: to drain is what makes room in it.
    await announce(broker, { name: consumer, pid: process.pid, startedAt, ...progress }).catch((error) =>
      log.debug({ err: error }, 'announcement failed'),
    )
    await sweep().catch((error: unknown) => log.debug({ err: error }, 'sweep failed'))
    // Jitter, so that the consumers of one group do not look all at once.
    await pause(sweepMs * (0.75 + Math.random() / 2), signal)
  }
  await retired()
}

function createSweep(context: SweepContext, queue: WorkQueue<TopicName>, memory: Memory, signal: AbortSignal) {
  const { broker, store, consumer, log } = context
  let marksBefore: ReadonlyMap<TopicName, Position> = new Map()
  let pendingBefore: ReadonlySet<TopicName> = new Set()
  let topicsBefore = Number.POSITIVE_INFINITY
  let isFirst = true
  let tidiedAt = performance.now()
  let retiring: Promise<void> | undefined

  async function sweep(): Promise<void> {
    const { dirty, topics } = await readMarks(broker)
    onMarks(dirty)
    // All names are gone, and data with them.
    const isDue = isFirst || (topics === 0 && topicsBefore > 0)
    topicsBefore = topics
    if (isDue || (await claimSweep(broker, consumer, lookMsMax))) await lookAtAll()
    isFirst = false
  }

  /** Beside the sweeps: an event that comes while its topic's row is held for this waits for the next one. */
  function retireBeside(streams: ReadonlyMap<TopicName, StreamFigures>): void {
    retiring ??= retireQuiet(streams)
      .catch((error: unknown) => log.debug({ err: error }, 'no streams retired'))
      .finally(() => {
        retiring = undefined
      })
  }

  function onMarks(dirty: ReadonlyMap<TopicName, Position>): void {
    for (const [topic, lastId] of dirty) {
      const isQuiet = memory.caughtUp.get(topic) === lastId
      const isSameAsBefore = marksBefore.get(topic) === lastId
      // Nothing new for two sweeps: not a turn in progress, but what a crash left behind.
      if (isQuiet && isSameAsBefore) memory.untidy.add(topic)
      // Or nobody can have its turn, because its row is gone: somebody has dropped the topic.
      else if (isSameAsBefore) memory.known.delete(topic)
      if (!isQuiet || isSameAsBefore) queue.add(topic)
    }
    marksBefore = dirty
  }

  async function lookAtAll(): Promise<void> {
    if (isFirst) await recall()
    const streams = (await readStreams(broker, memory.caughtUp.keys())) as Map<TopicName, StreamFigures>
    const againMs = Math.min(lookAgainMsPerStream * streams.size, lookAgainMsMax)
    await postponeSweep(broker, consumer, Math.max(againMs, sweepMs / 2))
    onStreams(streams)
    retireBeside(streams)
    if (performance.now() - tidiedAt < janitorEveryMs) return
    tidiedAt = performance.now()
    const removed = await removeGoneConsumers(broker, streams.keys())
    if (removed > 0) log.info({ removed }, 'removed consumers that are gone')
  }

  /** Without PostgreSQL, a turn of each topic finds out. */
  async function recall(): Promise<void> {
    const standings = await readStandings(store).catch((error: unknown) => {
      log.debug({ err: error }, 'standings could not be read')
      return new Map<TopicName, Position>()
    })
    for (const [topic, position] of standings) {
      if (!memory.caughtUp.has(topic)) memory.caughtUp.set(topic, position)
    }
  }

  function onStreams(streams: ReadonlyMap<TopicName, StreamFigures>): void {
    const pending = new Set<TopicName>()
    const gone = new Set(memory.caughtUp.keys())
    for (const [topic, { lastId, pending: count }] of streams) {
      gone.delete(topic)
      const isQuiet = memory.caughtUp.get(topic) === lastId
      if (!isQuiet) queue.add(topic)
      if (count > 0) pending.add(topic)
      if (isQuiet && count > 0 && pendingBefore.has(topic)) {
        memory.untidy.add(topic)
        queue.add(topic)
      }
    }
    pendingBefore = pending
    // A stream that is not there any more: a turn finds out what is lost with it.
    for (const topic of gone) {
      memory.caughtUp.delete(topic)
      queue.add(topic)
    }
  }

  async function retireQuiet(streams: ReadonlyMap<TopicName, StreamFigures>): Promise<void> {
    const isTight = (await readMemoryShare(broker)) > memoryShareMax
    const quietMs = isTight ? Math.min(context.quietMs, quietMsTight) : context.quietMs
    const before = (await readClock(broker)) - quietMs
    const quiet = [...streams].filter(
      ([topic, { lastId, pending, group }]) =>
        group !== null &&
        pending === 0 &&
        lastId !== null &&
        Number.parseInt(lastId, 10) <= before &&
        memory.caughtUp.get(topic) === lastId,
    )
    const topics = quiet.slice(0, retiredMax).map(([topic]) => topic)
    for (const topic of await retireStreams({ ...context, quietMs }, topics, signal))
      memory.caughtUp.delete(topic)
  }

  return { sweep, retired: async () => await retiring }
}
