import { performance } from 'node:perf_hooks'
import type { TopicName } from '@sekali/core/event'
import { outcomesOf } from '@sekali/core/figures'
import type { Position } from '@sekali/core/position'
import { commitEvents } from '@sekali/store/commit'
import { connectStore, type Store } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { queueTurnEnd, type Turn, withTurns } from '@sekali/store/turn'
import { reportTopics } from '../events.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { type Batch, batchesOf } from '../system/stored-batches.ts'

/**
 * Rows per second through the commit step alone, on one connection and without Redis: the consumer's own functions,
 * called as a turn calls them: lock the topic's row, tell new from known, number, insert, move the position, COMMIT.
 */
export const commit = (options: { readonly name: string; readonly events: number }): Side => ({
  name: options.name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const store = parts.use(openStore(await bench.createDatabase()))
    await ensureTopics(store, reportTopics as unknown as readonly TopicName[])
    await measureCommit(bench, store, batchesOf(0, warmUpEvents))
    const opened = parts.move()
    return {
      measure: async (round) => {
        const batches = batchesOf(round, bench.scaled(options.events))
        return await measureCommit(bench, store, batches, () => bench.checkpoint())
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

const warmUpEvents = 100_000

export const openStore = (url: string): Store =>
  connectStore({ url, poolMax: 1, name: 'bench', statementMs: 60_000 }, { warn: () => {} })

/** `begin` runs when all is ready, just before the clock starts. */
export async function measureCommit(
  bench: Bench,
  store: Store,
  batches: readonly Batch[],
  begin: () => Promise<void> = async () => undefined,
): Promise<Measure> {
  await begin()
  const stop = startMeter(bench.servers)
  const startedAt = performance.now()
  for (const batch of batches) await commitBatch(store, batch)
  const seconds = (performance.now() - startedAt) / 1_000
  const events = batches.reduce((sum, { received }) => sum + received.length, 0)
  return { ...stop(), seconds, value: events / seconds }
}

const none = outcomesOf(() => 0)

/** What a turn does in PostgreSQL. Throws unless all the events were new. */
export async function commitBatch(store: Store, { topic, received }: Batch): Promise<void> {
  const taken = await withTurns(store, [topic], 1, async (tx, turns) => {
    const turn = turns[0] as Turn
    const outcome = await commitEvents(tx, turn, received)
    if (outcome.stored !== received.length) throw new Error(`stored ${outcome.stored} of ${received.length}`)
    const accounted = turn.accounted + received.length
    const position = `${accounted}-0` as Position
    const seen = { seen: accounted, seenId: position, history: null, foundLoss: false }
    queueTurnEnd(tx, turn, { ...none, ...outcome, ...seen, group: 'bench', position, accounted })
    return true
  })
  if (taken === undefined) throw new Error(`nobody else should have the turn of ${topic}`)
}
