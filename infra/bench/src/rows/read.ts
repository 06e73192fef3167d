/**
 * Paging through a topic of a million events with `GET /events?after=`, a thousand at a time, one page after the
 * other, against one COPY of the same columns in the same order. Ours pays for HTTP, JSON and a thousand queries.
 */
import { fill } from '../fill.ts'
import { startMeter } from '../processor-time.ts'
import { copyOut } from '../rivals/copy-out.ts'
import type { Row, Side } from '../row.ts'
import { startSystem } from '../system.ts'
import { startWorker } from '../worker.ts'

/** What read-worker.ts is asked to do. */
export interface ReadRun {
  readonly url: string
  readonly topic: string
  /** How many there are. */
  readonly events: number
}

const stored = { topic: 'order', events: 1_000_000 }

const paging: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    const events = bench.scaled(stored.events)
    await fill(system.databaseUrl, { topics: [stored.topic], events })
    const worker = parts.use(startWorker('./read-worker.ts'))
    const opened = parts.move()
    return {
      measure: async () => {
        const stop = startMeter({ ...system.processes, reader: worker.pid })
        const task: ReadRun = { url: system.url, topic: stored.topic, events }
        const { seconds } = await worker.ask<{ seconds: number }>(task)
        return { ...stop(), seconds, value: events / seconds }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

export const readRow: Row = {
  name: 'read',
  what: 'rows paging through 1 million events with after=',
  against: 'COPY (SELECT …) TO STDOUT',
  unit: 'rows/s',
  ours: paging,
  rival: copyOut(stored),
  target: { of: 'ratio', better: 'higher', aim: 0.5 },
  rounds: 2,
}
