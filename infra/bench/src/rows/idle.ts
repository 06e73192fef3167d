/**
 * What the stack costs while nothing happens: processor seconds a minute of the process that takes most, each of
 * which the JSON file has. Its topics have been used, so the consumers' sweeps have something to look at.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { reportTopics } from '../events.ts'
import { startLoad } from '../load/load.ts'
import { startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Row, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'

const consumers = 4 // what `npm start` starts
const settleMs = 3_000
const watchMs = 20_000
const usedEvents = 5_000

const idle: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers }))
    {
      await using load = startLoad()
      const workload = { seed: 1, events: usedEvents, duplicates: 0, topics: reportTopics }
      await load.prepare({ url: system.url, connections: 1, batch: 500 }, workload)
      await load.go()
      await until('all events are accounted for', bench.signal, async () => {
        return (await system.sums()).accounted >= usedEvents
      })
    }
    const opened = parts.move()
    return {
      measure: async () => {
        await bench.checkpoint()
        await pause(settleMs, undefined, { signal: bench.signal })
        const stop = startMeter(system.processes)
        await pause(bench.scaled(watchMs), undefined, { signal: bench.signal })
        const used = stop()
        const aMinute = Object.keys(system.processes).map((name): [string, number] => [
          name,
          ((used.cpu[name] ?? 0) * 60) / used.clockSeconds,
        ])
        const also = Object.fromEntries(aMinute)
        return { ...used, value: Math.max(...aMinute.map(([, seconds]) => seconds)), also }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

export const idleRow: Row = {
  name: 'idle',
  what: 'processor seconds a minute of the idle stack, the busiest process',
  against: 'nothing',
  unit: 's/min',
  ours: idle,
  target: { of: 'value', better: 'lower', must: 0.6, aim: 0.2 },
  rounds: 1,
}
