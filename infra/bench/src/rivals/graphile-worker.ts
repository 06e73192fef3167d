import { makeWorkerUtils } from 'graphile-worker'
import pg from 'pg'
import { startWorker } from '../load/worker.ts'
import { startMeter } from '../measure/processor-time.ts'
import type { Measure, Side } from '../row.ts'
import { type Jobs, type JobsDone, rateOf, workersOf } from './jobs.ts'

const warmUpJobs = 5_000

/**
 * graphile-worker, set up as its own performance test has it: jobs come 500 at a time into a queue of each worker's own,
 * 24 run at a time, and what is done is written in batches. A worker is a process, as ours is.
 */
export const graphileWorker = (options: Jobs): Side => ({
  name: 'graphile-worker',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const url = await bench.createDatabase({ migrated: false })
    const utils = await makeWorkerUtils({ connectionString: url })
    await utils.migrate()
    await utils.release()
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    pool.on('error', () => undefined)
    parts.defer(() => pool.end())
    const program = new URL('./graphile-worker-process.ts', import.meta.url)
    const workers = workersOf(options, () => parts.use(startWorker(program)))
    const run = async (jobs: number): Promise<Measure> => {
      await pool.query(addJobs, [jobs])
      await pool.query('VACUUM ANALYZE')
      await bench.checkpoint()
      const pids = Object.fromEntries(workers.map(({ pid }, index) => [`worker ${index + 1}`, pid]))
      const stop = startMeter({ ...bench.servers, ...pids })
      const done = await Promise.all(workers.map((worker) => worker.call<JobsDone>({ url })))
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

const addJobs = `
  SELECT count(*) FROM (
    SELECT graphile_worker.add_job('empty', json_build_object('n', n)) FROM generate_series(1, $1::int) n
  ) added`
