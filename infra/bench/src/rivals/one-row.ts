import { performance } from 'node:perf_hooks'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import type { Measure, Side } from '../row.ts'
import { commitBatch, openStore } from '../sides/commit.ts'
import { batchesOf } from '../system/stored-batches.ts'

const commits = 1_000

/** The floor of latency: one event through the commit step on a machine that does nothing else, in milliseconds. */
export const oneRow: Side = {
  name: 'one-row commit',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const store = parts.use(openStore(await bench.createDatabase()))
    const measure = async (round: number): Promise<Measure> => {
      const [batch] = batchesOf(round, commits)
      if (batch === undefined) throw new Error('no batch')
      await ensureTopics(store, [batch.topic])
      await bench.checkpoint()
      const stop = startMeter(bench.servers)
      const latencies: number[] = []
      for (const one of batch.received) {
        const startedAt = performance.now()
        await commitBatch(store, { topic: batch.topic, received: [one] })
        latencies.push(performance.now() - startedAt)
      }
      const also = { 'p50 ms': percentile(latencies, 0.5) }
      return { ...stop(), value: percentile(latencies, 0.99), also }
    }
    await measure(0) // the warm-up
    const opened = parts.move()
    return { measure, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  },
}
