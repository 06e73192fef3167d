/** A worker of graphile-worker that does empty jobs until none is left. */
import { Logger, runOnce } from 'graphile-worker'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { JobsDone } from './jobs.ts'

const concurrentJobs = 24
const silent = new Logger(() => () => undefined)

// From the first job on: that a worker connects and looks at its tables first is not counted.
serve<{ readonly url: string }>(async ({ url }) => {
  const done = { startedAt: 0, jobs: 0 }
  await runOnce({
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs,
        maxPoolSize: concurrentJobs + 1,
        localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger: silent,
      },
    },
    taskList: {
      empty: async () => {
        if (done.jobs === 0) done.startedAt = nowMs()
        done.jobs += 1
      },
    },
  })
  return { ...done, endedAt: nowMs() } satisfies JobsDone
})
