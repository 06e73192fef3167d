import { repeatsOf, reportTopics, type Workload } from '../events.ts'
import { startLoad } from '../load/load.ts'
import { nowMs } from '../measure/clock.ts'
import { startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Measure, Side } from '../row.ts'
import { rivals, startServing } from '../system/program.ts'

const connections = 50 // the report's
const duplicates = 0.3
const warmUpEvents = 1_000

/** Events per second through the report's system; see report-system.ts. Its publisher sends an event a request. */
export const report = (options: { readonly events: number }): Side => ({
  name: 'report',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const serving = parts.use(
      await startServing(bench, 'report', rivals.report, {
        REDIS_URL: bench.redis.url,
        REDIS_PREFIX: 'report',
        DATABASE_URL: await bench.createDatabase({ migrated: false }),
      }),
    )
    const load = parts.use(startLoad())
    const run = async (seed: number, events: number): Promise<Measure> => {
      const workload: Workload = { seed, events, duplicates, topics: reportTopics }
      const before = await countersOf(serving.url)
      await load.prepare({ url: serving.url, connections, batch: 1 }, workload)
      await bench.checkpoint()
      const stop = startMeter({ report: serving.pid, load: load.pid, ...bench.servers })
      const { startedAt, endedAt } = await load.go()
      await until('the report has stored all', bench.signal, async () => {
        const { stored, dropped } = await countersOf(serving.url)
        return stored + dropped - before.stored - before.dropped >= events
      })
      const seconds = (nowMs() - startedAt) / 1_000
      const used = stop()
      const { stored } = await countersOf(serving.url)
      if (stored - before.stored !== events - repeatsOf(workload)) throw new Error('the report lost events')
      const also = { 'accepted events/s': (1_000 * events) / (endedAt - startedAt) }
      return { ...used, seconds, value: events / seconds, also }
    }
    await run(0, warmUpEvents)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(options.events)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

async function countersOf(url: string): Promise<{ stored: number; dropped: number }> {
  const response = await fetch(`${url}/stats`)
  return (await response.json()) as { stored: number; dropped: number }
}
