/**
 * Hundreds of tails of one topic. At a steady rate: from when PostgreSQL got the row, which is before its commit, until
 * a client has it. Then all at once: how many events a second reach clients, counted once for each client.
 */
import { reportTopics } from '../events.ts'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import type { Row, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'

/** What fan-out-worker.ts is asked to do. */
export interface FanOutRun {
  readonly url: string
  readonly topic: string
  readonly readers: number
  readonly seed: number
  /** Events at a steady rate, and how many of them a second. */
  readonly steadyEvents: number
  readonly rate: number
  /** Events as fast as they can be published. */
  readonly burstEvents: number
}

export interface FanOutResult {
  readonly latencies: readonly number[]
  readonly burstSeconds: number
}

const readers = 500
const rate = 40
const [topic] = reportTopics

const tails: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    const worker = parts.use(startWorker(new URL('./fan-out-worker.ts', import.meta.url)))
    const run = async (seed: number, steadyEvents: number, burstEvents: number) => {
      const task: FanOutRun = { url: system.url, topic, readers, rate, seed, steadyEvents, burstEvents }
      const stop = startMeter({ ...system.processes, readers: worker.pid })
      const { latencies, burstSeconds } = await worker.call<FanOutResult>(task)
      const also = {
        'p50 ms': percentile(latencies, 0.5),
        readers,
        'events/s': rate,
        'delivered/s in a burst': (readers * burstEvents) / burstSeconds,
      }
      return { ...stop(), value: percentile(latencies, 0.99), also }
    }
    await run(1_000, rate, rate)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(5 * rate), bench.scaled(2_000)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

export const fanOutRow: Row = {
  name: 'fan-out',
  what: `stored until ${readers} tails have it, p99 at ${rate} events a second`,
  against: 'nothing',
  unit: 'ms',
  ours: tails,
  target: { of: 'value', better: 'lower', aim: 50 },
  rounds: 2,
}
