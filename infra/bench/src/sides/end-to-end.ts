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
}

/** Events in a request, requests at a time, share of repeats. */
const batch = 500
const connections = 8
const duplicates = 0.3
/** Enough for V8 to have compiled what is hot; not scaled, because a cold process is not what is measured. */
const warmUpEvents = 60_000

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
    const { topics, hot } = options
    const workload = (seed: number, events: number): Workload => ({
      seed,
      events,
      duplicates,
      topics,
      ...(hot === undefined ? {} : { hot }),
    })
    await run(workload(0, warmUpEvents))
    const opened = parts.move()
    return {
      measure: (round) => run(workload(round, bench.scaled(options.events))),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
