/** A worker of pg-boss that fetches and completes empty jobs until none is left. */
import { PgBoss } from 'pg-boss'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { JobsDone } from './jobs.ts'
import { bare, queue } from './pg-boss.ts'

const batchSize = 500

let boss: PgBoss | undefined

serve<{ readonly url: string } | 'go'>(async (request) => {
  if (request === 'go') return await work()
  boss = await new PgBoss({ connectionString: request.url, max: 1, ...bare }).start()
  return undefined
})

async function work(): Promise<JobsDone> {
  if (boss === undefined) throw new Error('nothing is opened')
  const startedAt = nowMs()
  for (let jobs = 0; ; ) {
    const fetched = await boss.fetch(queue, { batchSize })
    if (fetched.length === 0) return { startedAt, endedAt: nowMs(), jobs }
    await boss.complete(
      queue,
      fetched.map(({ id }) => id),
    )
    jobs += fetched.length
  }
}
