/** What is done with the jobs of a pool: each is settled once it is over, and failures to do so are reported. */
import type { Ending, Held, JobOf, Numbered } from './job.ts'
import type { Pool } from './pool.ts'

type OnFailure<Event extends Numbered> = ((error: unknown, job: JobOf<Event>) => void) | undefined

/**
 * Works on `concurrency` jobs at a time; `work` says how each ends. Resolves once the pool has stopped and all have ended;
 * rejects with what ended the pulls, or with what `work` or `onFailure` throws: that stops the pool.
 */
export async function handleAll<Event extends Numbered>(
  pool: Pool<Event>,
  concurrency: number,
  work: (job: JobOf<Event>) => Promise<Ending>,
  onFailure?: OnFailure<Event>,
): Promise<void> {
  async function lane(): Promise<void> {
    try {
      for (let one = await pool.take(); one !== undefined; one = await pool.take()) {
        let ending: Ending = { do: 'nak' }
        try {
          ending = await work(one.job)
        } finally {
          await settle(one, ending, onFailure)
        }
      }
    } catch (error) {
      await pool.stop()
      throw error
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: concurrency }, lane))
  const failed = lanes.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Each loop is a lane of its own. The pool stops when the last one is left. */
export function loopsOver<Event extends Numbered>(
  pool: Pool<Event>,
  onFailure: OnFailure<Event>,
): AsyncIterable<JobOf<Event>> {
  let lanes = 0
  async function* lane(): AsyncGenerator<JobOf<Event>, void> {
    lanes += 1
    try {
      for (let one = await pool.take(); one !== undefined; one = await pool.take()) {
        let isDone = false
        try {
          yield one.job
          isDone = true
        } finally {
          await settle(one, { do: isDone ? 'ack' : 'nak' }, onFailure)
        }
      }
    } finally {
      lanes -= 1
      if (lanes === 0) await pool.stop()
    }
  }
  return { [Symbol.asyncIterator]: lane }
}

const settle = <Event extends Numbered>(
  one: Held<Event>,
  ending: Ending,
  onFailure: OnFailure<Event>,
): Promise<void> => one.settle(ending).catch((error: unknown) => onFailure?.(error, one.job))
