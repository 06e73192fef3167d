/**
 * Retires the streams of quiet topics, two short transactions for many: broker/turn/retire.ts says why two.
 *
 * A stream is retired once nothing of it is kept any more, and is deleted when its retirement has been known for as long: a
 * standby that takes over must have both, what was stored and why the stream is gone. And an old primary, which was left
 * behind by a failover, may know of both what the new one does not: it retires nothing.
 */
import { readClock } from '@sekali/broker/clock'
import { ask, type Broker } from '@sekali/broker/connect'
import { readKeptBytes } from '@sekali/broker/keep'
import { noteKept } from '@sekali/broker/keep-limits'
import { readMemoryShare } from '@sekali/broker/memory'
import { rememberRows } from '@sekali/broker/remember-rows'
import { readRemembered } from '@sekali/broker/remembered'
import { deleteDrained, findDrained } from '@sekali/broker/retire'
import type { StreamFigures } from '@sekali/broker/streams'
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { readFirstForks } from '@sekali/store/forks'
import { retire } from '@sekali/store/retire'
import { withTurns } from '@sekali/store/turn'
import { requireNewestOf } from '../operate/fence.ts'
import type { Keeper } from './keep.ts'
import type { Memory } from './memory.ts'

/** Where a test may stop a consumer dead; see process/start/failpoint.ts. */
export type RetirePoint = 'retiring' | 'retired' | 'deleted'

export interface RetireContext {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
  /** A stream is quiet when nothing was appended to it for this time. */
  readonly quietMs: number
  /** Undefined where nothing stays in Redis once it is stored. */
  readonly keeper?: Keeper
  readonly at: (point: RetirePoint) => void
}

/** Rows that are locked at a time: nobody else has a turn of those topics meanwhile. */
const topicsPerTransaction = 32
/** A Redis that is fuller than this needs the room: then a stream is quiet after `quietMsTight` at the latest. */
const memoryShareMax = 0.75
const quietMsTight = 60_000
/** Streams that one scan retires: each costs PostgreSQL two updates of a row. */
const retiredMax = 2_048

/** Retires the streams that a scan found quiet. Rejects with `BrokerUnavailable` or `StoreUnavailable`. */
export async function retireQuiet(
  context: RetireContext,
  streams: ReadonlyMap<TopicName, StreamFigures>,
  { caughtUp }: Memory,
  signal: AbortSignal,
): Promise<void> {
  const { broker } = context
  const isTight = (await readMemoryShare(broker)) > memoryShareMax
  const quietMs = isTight ? Math.min(context.quietMs, quietMsTight) : context.quietMs
  const before = (await readClock(broker)) - quietMs
  const quiet = [...streams].filter(
    ([topic, { lastId, pending, group }]) =>
      group !== null &&
      pending === 0 &&
      lastId !== null &&
      Number.parseInt(lastId, 10) <= before &&
      caughtUp.get(topic) === lastId,
  )
  const topics = quiet.map(([topic]) => topic)
  for (const topic of await retireStreams({ ...context, quietMs }, topics, signal)) caughtUp.delete(topic)
}

/**
 * Deletes the streams that are drained and quiet, and of which nothing is kept, of topics whose turns nobody has. Returns the
 * topics.
 */
export async function retireStreams(
  context: RetireContext,
  topics: readonly TopicName[],
  signal: AbortSignal,
): Promise<TopicName[]> {
  const gone: TopicName[] = []
  const due = (await withoutKept(context.broker, topics)).slice(0, retiredMax)
  for (const chunk of chunksOf(due, topicsPerTransaction)) {
    if (signal.aborted) break
    await markRetired(context, chunk)
    context.at('retired')
    gone.push(...(await deleteRetired(context, await withoutKept(context.broker, chunk))))
  }
  if (gone.length > 0) context.log.debug({ streams: gone.length }, 'retired streams of quiet topics')
  return gone
}

async function withoutKept(broker: Broker, topics: readonly TopicName[]): Promise<TopicName[]> {
  const kept = await readKeptBytes(broker, topics)
  return topics.filter((topic) => !kept.has(topic))
}

async function markRetired(
  { broker, store, keeper, quietMs, at }: RetireContext,
  topics: readonly TopicName[],
) {
  const limits = keeper?.limits()
  await withTurns(store, topics, topicsPerTransaction, async (tx, turns) => {
    await requireNewestOf(broker, turns)
    const live = turns.filter(({ retired, seen, accounted }) => !retired && seen <= accounted)
    const drained = await findDrained(broker, live, quietMs)
    retire(tx, drained)
    // Before COMMIT: whoever dies behind it must not leave a retirement that nobody has noted.
    if (limits !== undefined && limits.keepMs > 0 && drained.length > 0) {
      const noted = drained.map(({ topic, position }) => ({ topic, pack: position, bytes: 0 }))
      await ask(broker, 'retiring of streams', (redis) => noteKept(broker, redis, noted, limits))
    }
    at('retiring')
  })
}

/** Deletes the streams of retired topics, also of those that a consumer marked before it died. */
async function deleteRetired({ broker, store, quietMs, at }: RetireContext, topics: readonly TopicName[]) {
  const gone = await withTurns(store, topics, topicsPerTransaction, async (tx, turns) => {
    await requireNewestOf(broker, turns)
    const retired = turns.filter((turn) => turn.retired)
    // Their last turns may have ended with COMMIT. Once the streams are gone, nobody could tell that these came so far.
    const memories = await readRemembered(
      broker,
      retired.map(({ topic }) => topic),
    )
    await rememberRows(broker, retired, memories, (topicIds) => readFirstForks(tx, topicIds))
    const deleted = await deleteDrained(broker, retired, quietMs)
    at('deleted')
    return deleted.map(({ topic }) => topic)
  })
  return gone ?? []
}
