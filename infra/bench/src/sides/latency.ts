import { reportTopics, type Workload } from '../events.ts'
import { startLoad } from '../load/load.ts'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import { until } from '../measure/until.ts'
import type { Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { type System, startSystem } from '../system/system.ts'

/** What latency-worker.ts is asked to do. */
export interface LatencyRun {
  readonly url: string
  readonly workload: Workload
  /** Events in a request, and events a second. */
  readonly batch: number
  readonly rate: number
  /** The topic that is watched, and the seq after which its new events come. */
  readonly watch: string
  readonly after: number
}

const batch = 100
const runSeconds = 5
const probeEvents = 60_000
const [watch] = reportTopics

/**
 * How long it takes from publishing until a query shows it, at half of what the same system has just stored a second
 * when it was sent all it could take. The value is the 99th percentile in milliseconds.
 */
export const latency = (options: { readonly consumers: number }): Side => ({
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, options))
    const worker = parts.use(startWorker(new URL('./latency-worker.ts', import.meta.url)))
    const rate = Math.round((await throughputOf(bench, system)) / 2)
    const run = async (seed: number, seconds: number) => {
      const { rows } = await system.store.pool.query('SELECT head FROM topics WHERE name = $1', [watch])
      const workload: Workload = {
        seed,
        events: Math.ceil(rate * seconds),
        duplicates: 0,
        topics: reportTopics,
      }
      const task: LatencyRun = { url: system.url, workload, batch, rate, watch, after: Number(rows[0]?.head) }
      await worker.call<void>(task)
      await bench.checkpoint()
      const stop = startMeter({ ...system.processes, load: worker.pid })
      const { latencies } = await worker.call<{ latencies: number[] }>('go')
      const used = stop()
      const also = { 'p50 ms': percentile(latencies, 0.5), 'events/s': rate }
      return { ...used, value: percentile(latencies, 0.99), also }
    }
    await run(1_000, 1)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(10 * runSeconds) / 10),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

/** Events a second when there is always something to do; the second time, because the first warms up. */
async function throughputOf(bench: Bench, system: System): Promise<number> {
  await using load = startLoad()
  let rate = 0
  for (const seed of [2_000, 2_001]) {
    const events = bench.scaled(probeEvents)
    const target = { url: system.url, connections: 8, batch }
    await load.prepare(target, { seed, events, duplicates: 0, topics: reportTopics })
    const before = await system.sums()
    const startedAt = performance.now()
    await load.go()
    await until('all events are accounted for', bench.signal, async () => {
      return (await system.sums()).accounted - before.accounted >= events
    })
    rate = (1_000 * events) / (performance.now() - startedAt)
  }
  return rate
}
