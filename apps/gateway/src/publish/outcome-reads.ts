/**
 * Reads outcomes for all requests that wait for receipts: one query at a time, so that the pool's other connections
 * stay free for readers. Requests that become due during a query share the next one.
 */
import { addAbortListener } from 'node:events'
import { setImmediate as nextRound } from 'node:timers/promises'
import { limits } from '@sekali/core/limits'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import { type Outcome, readOutcomes, type Sent } from '@sekali/store/outcomes'

/**
 * Resolves with the outcome of each, or with `undefined` if the read failed or was not over a moment after `timeUp`.
 * Never rejects.
 */
export type ReadOutcomes = (sent: readonly Sent[], timeUp: AbortSignal) => Promise<Outcome[] | undefined>

/** Events in one query. */
const eventsMax = limits.batchEventsMax
/** Once the time is up a read may take this long: PostgreSQL may not answer at all for a while. */
const lastReadMs = 500

interface Due {
  readonly sent: readonly Sent[]
  readonly resolve: (outcomes: Outcome[] | undefined) => void
}

export function createOutcomeReads(store: Store, log: Logger): ReadOutcomes {
  const due = new Set<Due>()
  let isReading = false

  async function readAllDue(): Promise<void> {
    if (isReading) return
    isReading = true
    for (await nextRound(); due.size > 0; await nextRound()) await readBatch(store, log, takeBatch(due))
    isReading = false
  }

  return async (sent, timeUp) => {
    const { promise, resolve } = Promise.withResolvers<Outcome[] | undefined>()
    using _late = addAbortListener(timeUp, () => void setTimeout(resolve, lastReadMs, undefined).unref())
    const one = { sent, resolve }
    due.add(one)
    void readAllDue()
    return await promise.finally(() => due.delete(one))
  }
}

/** Takes as many as fit into one query, those that have waited longest first. */
function takeBatch(due: Set<Due>): Due[] {
  const batch: Due[] = []
  let count = 0
  for (const one of due) {
    count += one.sent.length
    if (count > eventsMax) break
    batch.push(one)
    due.delete(one)
  }
  return batch
}

async function readBatch(store: Store, log: Logger, batch: readonly Due[]): Promise<void> {
  const all = batch.flatMap(({ sent }) => sent)
  const outcomes = await readOutcomes(store, all).catch((err: unknown) => {
    log.debug({ err }, 'outcomes could not be read')
    return undefined
  })
  let from = 0
  for (const { sent, resolve } of batch) {
    resolve(outcomes?.slice(from, from + sent.length))
    from += sent.length
  }
}
