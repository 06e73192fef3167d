/**
 * Worker groups. Four workers, a process each, pull and settle a log in batches of 500 over HTTP, against four workers of two
 * job queues that do as many empty jobs on the same PostgreSQL, in the way that is quickest for each. Events and jobs have a
 * number as their payload. And the same with the order of sources kept, of which there are 50: by default a source has one
 * event out at a time, with `source_batch` as many as a worker may have of it in one pull.
 */
import { reportTopics } from '../events.ts'
import { graphileWorker } from '../rivals/graphile-worker.ts'
import { pgBoss } from '../rivals/pg-boss.ts'
import type { Row } from '../row.ts'
import { type WorkConfig, work, workers } from '../sides/work.ts'
import type { Log } from '../system/fill.ts'

const data = 'events of 50 sources'
const events = 100_000
const log: Log = { topics: reportTopics, events, sources: 50, payloads: 'number' }
const jobs = { jobs: events, workers }
const unordered = work({ name: 'order none', log, config: { order: 'none' } })

export const workRow: Row = {
  name: 'work',
  what: 'events pulled and settled by 4 workers, in batches of 500',
  against: 'graphile-worker, as many empty jobs',
  unit: 'events/s',
  ours: unordered,
  rival: graphileWorker(jobs),
  target: { of: 'ratio', better: 'higher', must: 5, aim: 15 },
  rounds: 3,
  data,
}

export const workBossRow: Row = {
  ...workRow,
  name: 'work-boss',
  against: 'pg-boss, as many empty jobs',
  rival: pgBoss(jobs),
}

const ordered = (name: string, what: string, config: WorkConfig): Row => ({
  ...workRow,
  name,
  what: `the same with order source, 50 sources, ${what}`,
  against: 'order none',
  ours: work({ name: `order source, ${what}`, log, config: { order: 'source', ...config } }),
  rival: unordered,
  target: { of: 'ratio', better: 'higher', must: 0.5, aim: 0.8 },
})

export const workSourceRows: readonly Row[] = [
  ordered('work-source', 'one event of a source at a time', {}),
  ordered('work-source-batch', 'batches of a source', { source_batch: 500 }),
]
