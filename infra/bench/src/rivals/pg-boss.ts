import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Measure, Side } from '../row.ts'
import { type Jobs, type JobsDone, rateOf, workersOf } from './jobs.ts'

export const queue = 'empty'
/** What does not belong to fetching and completing jobs is off. */
export const bare = { supervise: false, schedule: false, registerInstance: false } as const
const warmUpJobs = 5_000
const insertJobs = 5_000

/** pg-boss, asked for 500 jobs at a time, which are then completed together. */
export const pgBoss = (options: Jobs): Side => ({
  name: 'pg-boss',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const url = await bench.createDatabase({ migrated: false })
    const boss = await new PgBoss({ connectionString: url, max: 1, ...bare }).start()
    boss.on('error', () => undefined) // the call that needs it says so
    parts.defer(() => boss.stop({ graceful: false }))
    await boss.createQueue(queue)
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    pool.on('error', () => undefined)
    parts.defer(() => pool.end())
    const program = new URL('./pg-boss-process.ts', import.meta.url)
    const workers = workersOf(options, () => parts.use(startWorker(program)))
    await Promise.all(workers.map((worker) => worker.call<void>({ url })))
    const run = async (jobs: number): Promise<Measure> => {
      for (let from = 0; from < jobs; from += insertJobs) {
        const length = Math.min(insertJobs, jobs - from)
        await boss.insert(
          queue,
          Array.from({ length }, (_, index) => ({ data: { n: from + index } })),
        )
      }
      await pool.query('VACUUM ANALYZE')
      await bench.checkpoint()
      const pids = Object.fromEntries(workers.map(({ pid }, index) => [`worker ${index + 1}`, pid]))
      const stop = startMeter({ ...bench.servers, ...pids })
      const done = await Promise.all(workers.map((worker) => worker.call<JobsDone>('go')))
      return { ...stop(), ...rateOf(done, jobs) }
    }
    await run(warmUpJobs)
    const opened = parts.move()
    return {
      measure: () => run(bench.scaled(options.jobs)),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
