// What the two job queues have in common.
import type { Worker } from '../load/worker.ts'

export interface Jobs {
  readonly jobs: number
  readonly workers: number
}

/** What one worker has done, times on the machine's monotonic clock. */
export interface JobsDone {
  readonly startedAt: number
  readonly endedAt: number
  readonly jobs: number
}

export const workersOf = ({ workers }: Jobs, start: () => Worker): Worker[] =>
  Array.from({ length: workers }, start)

/** Jobs a second, of all workers together. Throws unless each job was done once. */
export function rateOf(done: readonly JobsDone[], jobs: number) {
  const count = done.reduce((sum, one) => sum + one.jobs, 0)
  if (count !== jobs) throw new Error(`${jobs} jobs were there, and ${count} were done`)
  const busy = done.filter((one) => one.jobs > 0)
  const startedAt = Math.min(...busy.map((one) => one.startedAt))
  const seconds = (Math.max(...busy.map(({ endedAt }) => endedAt)) - startedAt) / 1_000
  return { seconds, value: jobs / seconds }
}
