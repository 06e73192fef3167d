/**
 * A scan of all streams finds what the marks of a sweep do not show: streams that are gone, entries that stay pending,
 * topics that are quiet. It runs as often as it takes no more than a small part of Redis's time: with few topics at every
 * sweep, with thousands of idle ones a few times a minute.
 */
import { removeGoneConsumers } from '@sekali/broker/janitor'
import { postponeScan } from '@sekali/broker/scan-claim'
import { readStreams, type StreamFigures } from '@sekali/broker/streams'
import type { TopicName } from '@sekali/core/event'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { Sharing } from '../sharing/sharing.ts'
import type { Memory } from './memory.ts'
import { type RetireContext, retireQuiet } from './retire.ts'

/**
 * A stream costs a scan some 10 µs of Redis's time. The next scan comes after two hundred times as long, within these
 * bounds. Not by the time that the scan took: on a busy machine that says little.
 */
const againMsPerStream = 2
const againMsMin = 500
const againMsMax = 60_000
const janitorEveryMs = 30_000

export interface ScanContext extends RetireContext {
  readonly consumer: string
  readonly sharing: Sharing
}

interface Scan {
  run(): Promise<void>
  /** Resolves when no streams are being retired. */
  untilNoneRetires(): Promise<void>
}

export function createScan(
  context: ScanContext,
  queue: WorkQueue<TopicName>,
  memory: Memory,
  signal: AbortSignal,
): Scan {
  const { broker, consumer, log, sharing } = context
  let pendingBefore: ReadonlySet<TopicName> = new Set()
  let janitorAt = performance.now()
  let retiring: Promise<void> | undefined

  async function run(): Promise<void> {
    const streams = (await readStreams(broker, memory.caughtUp.keys())) as Map<TopicName, StreamFigures>
    const againMs = Math.max(againMsMin, Math.min(againMsPerStream * streams.size, againMsMax))
    await postponeScan(broker, consumer, againMs)
    pendingBefore = onStreams(streams, pendingBefore, { queue, memory, sharing })
    retireBeside(streams)
    if (performance.now() - janitorAt < janitorEveryMs) return
    janitorAt = performance.now()
    const removed = await removeGoneConsumers(broker, streams.keys())
    if (removed > 0) log.info({ removed }, 'removed consumers that are gone')
  }

  /** Beside the sweeps: an event that comes while its topic's row is locked for this waits for the next sweep. */
  function retireBeside(streams: ReadonlyMap<TopicName, StreamFigures>): void {
    retiring ??= retireQuiet(context, streams, memory, signal)
      .catch((error: unknown) => log.debug({ err: error }, 'no streams retired'))
      .finally(() => {
        retiring = undefined
      })
  }

  return { run, untilNoneRetires: async () => await retiring }
}

/** Where the topics go that need a turn. */
export interface Found {
  readonly queue: WorkQueue<TopicName>
  readonly memory: Memory
  readonly sharing: Sharing
}

/** Queues the topics that need a turn. Returns those with pending entries. */
function onStreams(
  streams: ReadonlyMap<TopicName, StreamFigures>,
  pendingBefore: ReadonlySet<TopicName>,
  { queue, memory, sharing }: Found,
): ReadonlySet<TopicName> {
  const pending = new Set<TopicName>()
  const gone = new Set(memory.caughtUp.keys())
  for (const [topic, { lastId, pending: count }] of streams) {
    gone.delete(topic)
    const isCaughtUp = memory.caughtUp.get(topic) === lastId
    if (!isCaughtUp) sharing.offer(topic, lastId ?? undefined)
    if (count > 0) pending.add(topic)
    if (isCaughtUp && count > 0 && pendingBefore.has(topic)) {
      memory.untidy.add(topic)
      queue.add(topic)
    }
  }
  // The stream is not there any more: a turn finds out what is lost with it.
  for (const topic of gone) {
    memory.caughtUp.delete(topic)
    queue.add(topic)
  }
  return pending
}
