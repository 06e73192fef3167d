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
        await settle(one, await endingOf(one), onFailure)
      }
    } catch (error) {
      await pool.stop()
      throw error
    }
  }

  async function endingOf(one: Held<Event>): Promise<Ending> {
    try {
      return await work(one.job)
    } catch (error) {
      await giveUp(pool, one, onFailure)
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
    let held: Held<Event> | undefined
    lanes += 1
    try {
      for (let one = await pool.take(); one !== undefined; one = await pool.take()) {
        held = one
        yield one.job
        held = undefined
        await settle(one, { do: 'ack' }, onFailure)
      }
    } finally {
      lanes -= 1
      if (held !== undefined) await giveUp(lanes === 0 ? pool : undefined, held, onFailure)
      else if (lanes === 0) await pool.stop()
    }
  }
  return { [Symbol.asyncIterator]: lane }
}

/**
 * Of a loop or a lane that ends with a job in its hands. The pool stops at the same time, not after the nak: its next pull
 * would get that very event again, and the answer be lost, which costs the event its lease and an attempt.
 */
async function giveUp<Event extends Numbered>(
  pool: Pool<Event> | undefined,
  one: Held<Event>,
  onFailure: OnFailure<Event>,
): Promise<void> {
  await Promise.all([settle(one, { do: 'nak' }, onFailure), pool?.stop()])
}

const settle = <Event extends Numbered>(
  one: Held<Event>,
  ending: Ending,
  onFailure: OnFailure<Event>,
): Promise<void> => one.settle(ending).catch((error: unknown) => onFailure?.(error, one.job))
