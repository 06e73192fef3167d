/** Retires the streams of quiet topics, two short transactions for many: broker/turn/retire.ts says why two. */
import type { Broker } from '@sekali/broker/connect'
import { findDrained } from '@sekali/broker/retire'
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { retire } from '@sekali/store/retire'
import { withTurns } from '@sekali/store/turn'

/** Where a test may stop a consumer dead; see process/start/failpoint.ts. */
export type RetirePoint = 'retiring' | 'retired' | 'deleted'

export interface RetireContext {
  readonly broker: Broker
  readonly store: Store
  readonly log: Logger
  /** For so long nothing must have been appended to a stream. */
  readonly quietMs: number
  readonly at: (point: RetirePoint) => void
}

/** Rows that are locked at a time: nobody else has a turn of those topics meanwhile. */
const topicsPerTransaction = 32

/**
 * Deletes the streams that are drained and quiet, of those topics whose turns nobody has. Resolves with the topics whose
 * streams are gone. Rejects with `BrokerUnavailable` or `StoreUnavailable`.
 */
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
    retire(tx, await findDrained(broker, live, quietMs, 'look'))
    at('retiring')
  })
}

/** Also of those that somebody marked who died before he came to this. */
async function deleteRetired({ broker, store, quietMs, at }: RetireContext, topics: readonly TopicName[]) {
  const gone = await withTurns(store, topics, topicsPerTransaction, async (_tx, turns) => {
    const retired = turns.filter((turn) => turn.retired)
    const deleted = await findDrained(broker, retired, quietMs, 'delete')
    at('deleted')
    return deleted.map(({ topic }) => topic)
  })
  return gone ?? []
}
