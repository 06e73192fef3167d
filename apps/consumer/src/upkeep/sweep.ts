/**
 * Once a second every consumer reads which topics have entries in flight, from Redis alone: the doorbell is lossy, and a
 * consumer that died in a turn leaves work that no queue has. PostgreSQL is not asked while nothing happens.
 *
 * A sweep reads marks (broker/turn/marks.ts), which are hints. So one consumer at a time also scans all streams; see
 * scan.ts.
 */

import { channelsCount } from '@sekali/broker/channels'
import { type Broker, untilConnected } from '@sekali/broker/connect'
import { readMarks } from '@sekali/broker/marks'
import { type Announced, announce } from '@sekali/broker/presence'
import { claimScan } from '@sekali/broker/scan-claim'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { pause } from '@sekali/process/backoff'
import type { Logger } from '@sekali/process/log'
import type { Troubles } from '@sekali/process/troubles'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { Store } from '@sekali/store/connect'
import type { Sharing } from '../sharing/sharing.ts'
import type { Memory, Progress } from './memory.ts'
import { createRecall } from './recall.ts'
import { createScan, type Found, type ScanContext } from './scan.ts'

const sweepMs = 1_000
/** How long the first sweep waits for Redis, so that a new consumer is announced at once. */
const connectMs = 2_000
/** While one consumer scans all streams, no other one does, for up to this time. */
const scanMsMax = 15_000

export interface SweepContext extends ScanContext {
  readonly startedAt: string
  readonly troubles: Troubles<TopicName>
}

/** Sweeps until `signal` is aborted. Never rejects. */
export async function runSweeps(
  context: SweepContext,
  queue: WorkQueue<TopicName>,
  memory: Memory,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { broker, consumer, startedAt, log, keeper, sharing, troubles } = context
  let looking: Promise<void> | undefined
  const scan = createScan(context, queue, memory, signal)
  const sweep = createSweep(context, queue, memory, scan.run)
  let announced: Announced | undefined
  await untilConnected(broker, connectMs).catch(() => undefined) // then the sweeps log what is wrong
  while (!signal.aborted) {
    // A full Redis refuses this, and must be swept all the same: draining is what makes room in it.
    // Whose turns fail shares no topics: the others need not wait to see each time that it does not come.
    const channels = troubles.lasting() === undefined ? { channels: channelsCount } : {}
    const presence = { name: consumer, pid: process.pid, startedAt, ...progress, ...channels }
    announced = await announce(broker, presence, announced?.keys()).catch((error) => {
      log.debug({ err: error }, 'announcement failed')
      return undefined
    })
    await sharing.look(announced).catch((error) => log.debug({ err: error }, 'consumers not read'))
    await sweep().catch((error: unknown) => log.debug({ err: error }, 'sweep failed'))
    // Beside the sweeps: it asks PostgreSQL, which may be away.
    looking ??= keeper
      ?.look()
      .catch((error: unknown) => log.debug({ err: error }, 'look at what is kept failed'))
      .finally(() => {
        looking = undefined
      })
    // Jitter, so that the consumers of one group do not sweep all at once.
    await pause(sweepMs * (0.75 + Math.random() / 2), signal)
  }
  await scan.untilNoneRetires()
  await looking
}

interface SweepDeps {
  readonly broker: Broker
  readonly store: Store
  readonly consumer: string
  readonly log: Logger
  readonly sharing: Sharing
}

function createSweep(
  { broker, store, consumer, log, sharing }: SweepDeps,
  queue: WorkQueue<TopicName>,
  memory: Memory,
  scan: () => Promise<void>,
): () => Promise<void> {
  let marksBefore: ReadonlyMap<TopicName, Position> | undefined
  let topicsBefore = Number.POSITIVE_INFINITY
  let isFirst = true
  const recall = createRecall({ broker, store, log }, queue, memory)

  return async () => {
    const { marks, topics } = await readMarks(broker)
    onMarks(marks, marksBefore, { queue, memory, sharing })
    marksBefore = marks
    // All names are gone, and data with them.
    const isEmptied = topics === 0 && topicsBefore > 0
    // Topics may be dropped, too. Names come back with the next appends, perhaps before this sees that all were gone.
    if (topics < topicsBefore) recall.doubt()
    topicsBefore = topics
    if (isFirst || isEmptied || (await claimScan(broker, consumer, scanMsMax))) {
      const recalled = recall.look()
      if (isFirst) await recalled
      await scan()
    }
    isFirst = false
  }
}

function onMarks(
  marks: ReadonlyMap<TopicName, Position>,
  before: ReadonlyMap<TopicName, Position> | undefined,
  { queue, memory, sharing }: Found,
): void {
  for (const [topic, lastId] of marks) {
    const isCaughtUp = memory.caughtUp.get(topic) === lastId
    const isSameAsBefore = before?.get(topic) === lastId
    // Nothing new for two sweeps: not a turn in progress, but what a crash left behind.
    if (isCaughtUp && isSameAsBefore) memory.untidy.add(topic)
    // Or nobody can have its turn, because its row is gone: somebody has dropped the topic.
    else if (isSameAsBefore) memory.known.delete(topic)
    if (isSameAsBefore) queue.add(topic)
    else if (!isCaughtUp) sharing.offerMarked(topic, before?.has(topic) ?? true)
  }
}
