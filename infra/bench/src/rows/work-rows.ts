/**
 * What pulls and settles write: rows inserted, updated and deleted in the tables of subscriptions, as PostgreSQL counts
 * them, for each event that is delivered. The subscription is caught up: 500 events are stored, pulled at once and
 * settled at once, again and again.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { reportTopics } from '../events.ts'
import { startLoad } from '../load/load.ts'
import { startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Row, Side } from '../row.ts'
import { batchEvents, drain, openWorkers, subscribe } from '../sides/work.ts'
import { type System, startSystem } from '../system/system.ts'

const batches = 100
const subscription = 'work-rows'
const [topic] = reportTopics

const writing: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const system = parts.use(await startSystem(bench, { consumers: 1 }))
    const load = parts.use(startLoad())
    const workers = openWorkers(parts, 1)
    await subscribe(system, subscription, { topics: topic, from: 'start', order: 'none' })
    let stored = 0
    const deliver = async (seed: number) => {
      const workload = { seed, events: batchEvents, duplicates: 0, topics: [topic] }
      await load.prepare({ url: system.url, connections: 1, batch: batchEvents }, workload)
      await load.go()
      stored += batchEvents
      await until('all events are stored', bench.signal, async () => (await system.sums()).stored >= stored)
      await drain(system, workers, { subscription, events: batchEvents, max: batchEvents })
    }
    await deliver(1) // prepared statements, and whatever a first time writes
    const opened = parts.move()
    return {
      measure: async () => {
        const count = bench.scaled(batches)
        const before = await rowsWritten(system)
        const stop = startMeter(system.processes)
        for (let batch = 0; batch < count; batch += 1) await deliver(2 + batch)
        const used = stop()
        const written = (await rowsWritten(system)) - before
        return { ...used, value: written / (count * batchEvents), also: { 'rows a batch': written / count } }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

/**
 * What all sessions together have written. A session that is idle reports what it has counted after ten seconds
 * at the latest; the first reading may lack that.
 */
async function rowsWritten({ store }: System): Promise<number> {
  await pause(reportedMs)
  const { rows } = await store.pool.query<{ written: string }>(
    `SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) AS written
    FROM pg_stat_user_tables WHERE schemaname = 'subscriptions'`,
  )
  return Number(rows[0]?.written)
}

const reportedMs = 11_000

export const workRowsRow: Row = {
  name: 'work-rows',
  what: 'rows written for each event that is pulled and settled, in batches of 500',
  against: 'nothing',
  unit: 'rows',
  ours: writing,
  target: { of: 'value', better: 'lower', must: 0.1, aim: 0.02 },
  rounds: 1,
}
