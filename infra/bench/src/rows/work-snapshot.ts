/**
 * What a transaction costs that somebody holds open, as a backup does: PostgreSQL may forget nothing that it might still see, so
 * whatever is updated again and again leaves a trail. For five minutes a log grows and is worked off in small batches, the
 * same number on either side. Then it is measured how fast events go in, end to end, and how fast they are pulled and
 * settled.
 */
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { reportTopics } from '../events.ts'
import { type Load, startLoad } from '../load/load.ts'
import type { Worker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import { spreadOf } from '../measure/statistics.ts'
import { until } from '../measure/until.ts'
import type { Row, Side } from '../row.ts'
import { batchEvents, drain, openWorkers, subscribe, workers as workerCount } from '../sides/work.ts'
import type { Bench } from '../system/bench.ts'
import { type System, startSystem } from '../system/system.ts'

const heldMs = 300_000
/** A round of what goes on meanwhile: so many events, in batches so small. */
const roundMs = 10_000
const roundEvents = 20_000
const smallBatch = 20
const measuredEvents = 50_000
const measuredTimes = 3
const subscription = 'work-snapshot'

interface Opened {
  readonly bench: Bench
  readonly system: System
  readonly load: Load
  readonly workers: readonly Worker[]
}

const side = (name: string, isHeld: boolean): Side => ({
  name,
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const databaseUrl = await bench.createDatabase()
    const system = parts.use(await startSystem(bench, { consumers: 1, databaseUrl }))
    const load = parts.use(startLoad())
    const opened: Opened = { bench, system, load, workers: openWorkers(parts, workerCount) }
    await subscribe(system, subscription, { topics: '>', from: 'start', order: 'none' })
    let seed = isHeld ? 1_000 : 2_000
    await goRound(opened, ++seed, batchEvents)
    const all = parts.move()
    return {
      measure: async () => {
        await using _snapshot = isHeld ? await holdSnapshot(databaseUrl) : undefined
        const endsAt = performance.now() + bench.scaled(heldMs)
        const stop = startMeter({ ...system.processes, load: load.pid })
        while (performance.now() < endsAt) {
          const next = performance.now() + roundMs
          await goRound(opened, ++seed, smallBatch)
          await pause(Math.max(0, next - performance.now()), undefined, { signal: bench.signal })
        }
        const endToEnd: number[] = []
        const worked: number[] = []
        for (let time = 0; time < measuredTimes; time += 1) {
          endToEnd.push(await publish(opened, ++seed, bench.scaled(measuredEvents)))
          worked.push(await workOff(opened, bench.scaled(measuredEvents), batchEvents))
        }
        const also = {
          'pulled and settled': spreadOf(worked).median,
          'end to end': spreadOf(endToEnd).median,
        }
        return { ...stop(), value: also['pulled and settled'], also }
      },
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    }
  },
})

async function goRound(opened: Opened, seed: number, max: number): Promise<void> {
  const events = opened.bench.scaled(roundEvents)
  await publish(opened, seed, events)
  await workOff(opened, events, max)
}

/** Events a second, from the first byte until all are stored. */
async function publish({ bench, system, load }: Opened, seed: number, events: number): Promise<number> {
  const { stored } = await system.sums()
  const workload = { seed, events, duplicates: 0, topics: reportTopics }
  await load.prepare({ url: system.url, connections: 8, batch: batchEvents }, workload)
  const startedAt = performance.now()
  await load.go()
  await until('all events are stored', bench.signal, async () => {
    return (await system.sums()).stored - stored >= events
  })
  return (1_000 * events) / (performance.now() - startedAt)
}

/** Events a second. */
const workOff = async ({ system, workers }: Opened, events: number, max: number): Promise<number> =>
  (await drain(system, workers, { subscription, events, max })).value

/** A transaction that sees the database as it is now, until the scope ends. */
async function holdSnapshot(url: string): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query('SELECT count(*) FROM topics')
  return { [Symbol.asyncDispose]: () => client.end() }
}

export const workSnapshotRow: Row = {
  name: 'work-snapshot',
  what: 'events beside a REPEATABLE READ transaction that is held open for 5 minutes',
  against: 'without it',
  unit: 'events/s',
  ours: side('beside a snapshot', true),
  rival: side('without', false),
  target: { of: 'worst part', better: 'higher', must: 0.8, aim: 0.95 },
  rounds: 1,
}
