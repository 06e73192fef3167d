/**
 * What workers cost that wait for events while there are none: processor seconds a minute of all of Sekali's processes and of
 * both servers together. Each waits as long as it may, and asks again.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { reportTopics } from '../events.ts'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Row, Side } from '../row.ts'
import { subscribe } from '../sides/work.ts'
import { startSystem } from '../system/system.ts'

/** What work-idle-worker.ts is asked to do. */
export interface IdleRun {
  readonly url: string
  readonly subscription: string
  readonly workers: number
}

const workers = 1_000
const settleMs = 3_000
const watchMs = 60_000
const subscription = 'work-idle'

const waiting: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    await subscribe(system, subscription, { topics: reportTopics[0], from: 'start', order: 'none' })
    const worker = parts.use(startWorker(new URL('./work-idle-worker.ts', import.meta.url)))
    await worker.call<void>({ url: system.url, subscription, workers } satisfies IdleRun)
    const opened = parts.move()
    return {
      measure: async () => {
        await bench.checkpoint()
        await pause(settleMs, undefined, { signal: bench.signal })
        const stop = startMeter(system.processes)
        await pause(bench.scaled(watchMs), undefined, { signal: bench.signal })
        const used = stop()
        await worker.call<void>('check')
        const names = Object.keys(system.processes)
        const aMinute = names.map((name) => ((used.cpu[name] ?? 0) * 60) / used.clockSeconds)
        const also = Object.fromEntries(names.map((name, index) => [name, aMinute[index] ?? 0]))
        return { ...used, value: aMinute.reduce((sum, one) => sum + one, 0), also }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

export const workIdleRow: Row = {
  name: 'work-idle',
  what: 'processor seconds a minute of 1,000 waiting workers, all processes together',
  against: 'nothing',
  unit: 's/min',
  ours: waiting,
  target: { of: 'value', better: 'lower', must: 2, aim: 0.5 },
  rounds: 1,
}
