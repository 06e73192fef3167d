/** How long it takes from COMMIT to the endpoint, at a rate that keeps nobody busy. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '@sekali/store/connect'
import { eventsOf, toJson } from '../events.ts'
import { openPool } from '../load/pool.ts'
import { publish } from '../load/publish.ts'
import { nowMs } from '../measure/clock.ts'
import { startMeter } from '../measure/processor-time.ts'
import { percentile } from '../measure/statistics.ts'
import { until } from '../measure/until.ts'
import type { Measure, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'
import { startDispatching, startReceiver } from './webhooks.ts'

export interface WebhookLatency {
  readonly rate: number
  readonly seconds: number
  /** One more endpoint gets the same events and never answers. */
  readonly beside?: 'an endpoint that hangs'
  /** What is the value: the 99th percentile in milliseconds, or rows written for a delivery. */
  readonly of: 'p99' | 'rows'
}

const topic = 'orders.eu'

export const webhookLatency = ({ rate, seconds, beside, of }: WebhookLatency): Side => ({
  name: beside === undefined ? 'sekali' : `beside ${beside}`,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    const receiver = parts.use(await startReceiver())
    const dispatching = parts.use(await startDispatching(bench, system.env.DATABASE_URL ?? '', system.env))
    const pool = parts.use(openPool(system.url, 4))
    await dispatching.push(receiver.url, { body: 'event' })
    if (beside !== undefined) await dispatching.push(`${receiver.url}/hangs`)
    const run = async (seed: number, events: number): Promise<Measure> => {
      const bodies = [...eventsOf({ seed, events, duplicates: 0, topics: [topic] })].map(toJson)
      await receiver.forget()
      await bench.checkpoint()
      const before = await rowsWritten(dispatching.store)
      const stop = startMeter({ ...system.processes, dispatcher: dispatching.pid, receiver: receiver.pid })
      const startedAt = nowMs()
      for (const [index, body] of bodies.entries()) {
        const early = startedAt + (index * 1_000) / rate - nowMs()
        if (early > 0) await pause(early)
        void publish(pool, Buffer.from(body))
      }
      await until(
        'all events are delivered',
        bench.signal,
        async () => (await receiver.arrivals()).count >= events,
      )
      const used = stop()
      const { ages } = await receiver.arrivals()
      await pause(1_500) // until PostgreSQL's sessions have said what they wrote
      const rows = ((await rowsWritten(dispatching.store)) - before) / events
      const p99 = percentile([...ages], 0.99)
      const also = { 'p50 ms': percentile([...ages], 0.5), 'p99 ms': p99, 'rows a delivery': rows }
      return { ...used, value: of === 'rows' ? rows : p99, also }
    }
    await run(1_000, rate * 2)
    const opened = parts.move()
    return {
      measure: (round) => run(round, bench.scaled(rate * seconds * 10) / 10),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

/** Inserted and updated, of all that subscriptions have; the note that PostgreSQL answers is everybody's. */
async function rowsWritten({ pool }: Store): Promise<number> {
  const { rows } = await pool.query<{ rows: string }>(
    `SELECT sum(n_tup_ins + n_tup_upd) AS rows FROM pg_stat_all_tables
     WHERE schemaname = 'subscriptions' AND relname NOT IN ('heartbeat', 'dispatchers')`,
  )
  return Number(rows[0]?.rows)
}
