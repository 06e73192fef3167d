/** Retires the streams of quiet topics, two short transactions for many: broker/turn/retire.ts says why two. */
import { readClock } from '@sekali/broker/clock'
import type { Broker } from '@sekali/broker/connect'
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
import type { Memory } from './memory.ts'

/** Where a test may stop a consumer dead; see process/start/failpoint.ts. */
export type RetirePoint = 'retiring' | 'retired' | 'deleted'

export interface RetireContext {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
  /** A stream is quiet when nothing was appended to it for this time. */
  readonly quietMs: number
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
  const topics = quiet.slice(0, retiredMax).map(([topic]) => topic)
  for (const topic of await retireStreams({ ...context, quietMs }, topics, signal)) caughtUp.delete(topic)
}

/** Deletes the streams that are drained and quiet, of topics whose turns nobody has. Returns the topics. */
export async function retireStreams(
  context: RetireContext,
  topics: readonly TopicName[],
  signal: AbortSignal,
): Promise<TopicName[]> {
  const gone: TopicName[] = []
  for (const chunk of chunksOf(topics, topicsPerTransaction)) {
    if (signal.aborted) break
    await markRetired(context, chunk)
    context.at('retired')
    gone.push(...(await deleteRetired(context, chunk)))
  }
  if (gone.length > 0) context.log.debug({ streams: gone.length }, 'retired streams of quiet topics')
  return gone
}

async function markRetired({ broker, store, quietMs, at }: RetireContext, topics: readonly TopicName[]) {
  await withTurns(store, topics, topicsPerTransaction, async (tx, turns) => {
    const live = turns.filter(({ retired, seen, accounted }) => !retired && seen <= accounted)
    retire(tx, await findDrained(broker, live, quietMs))
    at('retiring')
  })
}

/** Deletes the streams of retired topics, also of those that a consumer marked before it died. */
async function deleteRetired({ broker, store, quietMs, at }: RetireContext, topics: readonly TopicName[]) {
  const gone = await withTurns(store, topics, topicsPerTransaction, async (tx, turns) => {
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
