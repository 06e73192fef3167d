import { repeatsOf, type Workload } from '../events.ts'
import { startLoad } from '../load/load.ts'
import { nowMs } from '../measure/clock.ts'
import { startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Measure, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'

export interface EndToEndOptions {
  readonly name: string
  readonly consumers: number
  readonly events: number
  readonly topics: Workload['topics']
  readonly hot?: Workload['hot']
  /** More settings of gateway and consumers. */
  readonly env?: Readonly<Record<string, string>>
  /** Events in a request, and requests at a time; 500 and 8 unless given. */
  readonly batch?: number
  readonly connections?: number
  /** Share of the events that repeat an earlier one; 0.3 unless given. */
  readonly duplicates?: number
}

/** Enough for V8 to have compiled what is hot; not scaled, because a cold process is not what is measured. */
const warmUpEvents = 60_000
const warmUpSingles = 10_000

/**
 * Events per second through the whole of Sekali: from the first byte of HTTP until every event is accounted for in
 * PostgreSQL. The gateway, the consumers and the load generator stay up between rounds, as in a system that runs.
 */
export const endToEnd = (options: EndToEndOptions): Side => ({
  name: options.name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, options))
    const load = parts.use(startLoad())
    const { topics, hot, batch = 500, connections = 8, duplicates = 0.3 } = options
    const run = async (workload: Workload): Promise<Measure> => {
      const before = await system.sums()
      await load.prepare({ url: system.url, connections, batch }, workload)
      await bench.checkpoint()
      const stop = startMeter({ ...system.processes, load: load.pid })
      const { startedAt, endedAt, refusals } = await load.go()
      await until('all events are accounted for', bench.signal, async () => {
        return (await system.sums()).accounted - before.accounted >= workload.events
      })
      const seconds = (nowMs() - startedAt) / 1_000
      const used = stop()
      const after = await system.sums()
      const stored = after.stored - before.stored
      if (stored !== workload.events - repeatsOf(workload) || after.others > 0) {
        throw new Error(
          `${workload.events} events were sent, and ${JSON.stringify({ before, after })} came of it`,
        )
      }
      const publishing = (1_000 * workload.events) / (endedAt - startedAt)
      const also = { 'stored rows/s': stored / seconds, 'accepted events/s': publishing, refusals }
      return { ...used, seconds, value: workload.events / seconds, also }
    }
    const workload = (seed: number, events: number): Workload => ({
      seed,
      events,
      duplicates,
      topics,
      ...(hot === undefined ? {} : { hot }),
    })
    await run(workload(0, batch === 1 ? warmUpSingles : warmUpEvents))
    const opened = parts.move()
    return {
      measure: (round) => run(workload(round, bench.scaled(options.events))),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
