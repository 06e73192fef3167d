import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Side } from '../row.ts'
import { startSystem } from '../system/system.ts'

/** What read-worker.ts is asked to do. */
export interface ReadRun {
  readonly url: string
  readonly topic: string
  /** How many there are. */
  readonly events: number
  readonly as: 'pages' | 'replay'
}

/** Rows per second that one client reads of a topic over HTTP, from its first to its last event. */
export const reading = (options: Pick<ReadRun, 'topic' | 'events' | 'as'>): Side => ({
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const { topic, as } = options
    const events = bench.scaled(options.events)
    const databaseUrl = await bench.filled({ topics: [topic], events })
    const system = parts.use(await startSystem(bench, { consumers: 1, databaseUrl }))
    const worker = parts.use(startWorker(new URL('./read-worker.ts', import.meta.url)))
    const read = () =>
      worker.call<{ seconds: number }>({ url: system.url, topic, events, as } satisfies ReadRun)
    await read() // the warm-up
    const opened = parts.move()
    return {
      measure: async () => {
        await bench.checkpoint()
        const stop = startMeter({ ...system.processes, reader: worker.pid })
        const { seconds } = await read()
        return { ...stop(), seconds, value: events / seconds }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
