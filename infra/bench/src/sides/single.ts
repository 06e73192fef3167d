import { reportTopics, type Workload } from '../events.ts'
import { type Load, startLoad } from '../load/load.ts'
import { type Processes, startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { startCollector } from '../system/collector.ts'
import { startScraper } from '../system/scraper.ts'
import { startSystem } from '../system/system.ts'

const connections = 64
const warmUpRequests = 10_000

export interface SingleOptions {
  readonly requests: number
  /** Without any, what is accepted stays in Redis. */
  readonly consumers: number
  /** The gateway asks for a key, and the load has one. */
  readonly keys?: boolean
  /** How often the metrics of gateway and consumers are read; never unless it is said. */
  readonly scrapeEveryMs?: number
  /** The share of requests that are traced, and exported; none unless it is said. */
  readonly traced?: number
}

/** Requests per second of single-event publishing, with its consumers behind it storing what comes. */
export const single = (options: SingleOptions, name = 'sekali'): Side => ({
  name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const { scrapeEveryMs, traced } = options
    const env = traced === undefined ? {} : tracing(parts.use(await startCollector()).url, traced)
    const system = parts.use(await startSystem(bench, { ...options, env }))
    if (scrapeEveryMs !== undefined) parts.use(startScraper(system.metricsUrls(), scrapeEveryMs))
    const load = parts.use(startLoad())
    let sent = 0
    const run = async (seed: number, requests: number): Promise<Measure> => {
      const measure = await measureRequests(bench, load, system, seed, requests)
      sent += requests
      if (options.consumers === 0) return measure
      // What is still queued must not be stored at the next measurement's cost.
      await until('all events are accounted for', bench.signal, async () => {
        return (await system.sums()).accounted >= sent
      })
      return measure
    }
    await run(0, warmUpRequests)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(options.requests)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

const tracing = (url: string, ratio: number) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_TRACES_SAMPLER_ARG: String(ratio),
})

/** What is sent to, and the key that it asks for, if it asks for one. */
interface Measured {
  readonly url: string
  readonly key?: string | undefined
  readonly processes: Processes
}

/** Sends single events, 64 at a time, and gives the number that were answered a second. */
export async function measureRequests(
  bench: Bench,
  load: Load,
  { url, key, processes }: Measured,
  seed: number,
  requests: number,
): Promise<Measure> {
  const workload: Workload = { seed, events: requests, duplicates: 0, topics: reportTopics }
  await load.prepare({ url, connections, batch: 1, key }, workload)
  await bench.checkpoint()
  const stop = startMeter({ ...processes, load: load.pid })
  const { startedAt, endedAt, refusals } = await load.go()
  const seconds = (endedAt - startedAt) / 1_000
  return { ...stop(), seconds, value: requests / seconds, also: { refusals } }
}
