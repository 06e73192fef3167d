import { reportTopics, type Workload } from '../events.ts'
import { type Load, startLoad } from '../load/load.ts'
import { type Processes, startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { startSystem } from '../system/system.ts'

const connections = 64
const warmUpRequests = 10_000

/** Requests per second of single-event publishing, with the whole system behind it storing what comes. */
export const single = (options: { readonly requests: number; readonly consumers: number }): Side => ({
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, options))
    const load = parts.use(startLoad())
    let sent = 0
    const run = async (seed: number, requests: number): Promise<Measure> => {
      const measure = await measureRequests(bench, load, system.url, system.processes, seed, requests)
      sent += requests
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

/** Sends single events, 64 at a time, and gives the number that were answered a second. */
export async function measureRequests(
  bench: Bench,
  load: Load,
  url: string,
  processes: Processes,
  seed: number,
  requests: number,
): Promise<Measure> {
  const workload: Workload = { seed, events: requests, duplicates: 0, topics: reportTopics }
  await load.prepare({ url, connections, batch: 1 }, workload)
  await bench.checkpoint()
  const stop = startMeter({ ...processes, load: load.pid })
  const { startedAt, endedAt, refusals } = await load.go()
  const seconds = (endedAt - startedAt) / 1_000
  return { ...stop(), seconds, value: requests / seconds, also: { refusals } }
}
