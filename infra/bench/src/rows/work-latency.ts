/**
 * From when PostgreSQL got the row, which is before its commit, until a worker has it that waited for it. Workers settle
 * what they got, and wait again.
 */
import { reportTopics } from '../events.ts'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import type { Row, Side } from '../row.ts'
import { subscribe } from '../sides/work.ts'
import { startSystem } from '../system/system.ts'

/** What work-latency-worker.ts is asked to do. */
export interface WaitingRun {
  readonly url: string
  readonly topic: string
  readonly subscription: string
  readonly workers: number
  readonly seed: number
  readonly events: number
  /** Events a second. */
  readonly rate: number
}

const workers = 4
const rate = 40
const seconds = 20
const subscription = 'work-latency'
const [topic] = reportTopics

const waiting: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    const worker = parts.use(startWorker(new URL('./work-latency-worker.ts', import.meta.url)))
    await subscribe(system, subscription, { topics: topic, from: 'start', order: 'none' })
    const run = async (seed: number, events: number) => {
      const task: WaitingRun = { url: system.url, topic, subscription, workers, rate, seed, events }
      const stop = startMeter({ ...system.processes, workers: worker.pid })
      const { latencies } = await worker.call<{ latencies: number[] }>(task)
      const also = { 'p50 ms': percentile(latencies, 0.5), workers, 'events/s': rate }
      return { ...stop(), value: percentile(latencies, 0.99), also }
    }
    await run(1_000, 2 * rate)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(seconds * rate)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

export const workLatencyRow: Row = {
  name: 'work-latency',
  what: `stored until a waiting worker has it, p99 at ${rate} events a second`,
  against: 'nothing',
  unit: 'ms',
  ours: waiting,
  target: { of: 'value', better: 'lower', must: 50, aim: 20 },
  rounds: 2,
}
