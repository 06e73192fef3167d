/**
 * A queue of work for each client. A client does a few pieces at once. If it has had more than those for a second, the pieces
 * that wait run one after the other, and a rest follows each, until it has few again. Otherwise three hundred streams that
 * begin at once, or a flood of pages, would take the event loop and PostgreSQL from everybody else.
 *
 * The second is for who asks steadily: when PostgreSQL is slow for a moment, what waits behind it is worked off side by side.
 * One by one it was not: a client of 25 pages a second waited for two seconds, and was refused, until it asked less.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from './clients.ts'

export interface Queues {
  /** Resolves with what `work` does, or rejects as it does. */
  run<T>(client: Client, work: () => Promise<T>): Promise<T>
}

/** How long a rest is, in times of the work before it. */
const restWorks = 0.5
/** How long a client may have more than a few. */
const manyMsMax = 1_000

interface Queue {
  /** Pieces that are to begin, in order. */
  readonly waiting: ((way: Way) => void)[]
  /** Pieces that are under way or wait. */
  works: number
  /** Those of them that are under way side by side. */
  atOnce: number
  /** Since when there are more than a few, of `performance.now()`. */
  manySince: number | undefined
  /** Whether one is under way, or rests, of those that run one by one. */
  isLaneBusy: boolean
}

type Way = 'at once' | 'one by one'

/** `atOnceMax` is called for each piece. It returns how many pieces of a client may run side by side. */
export function createQueues(atOnceMax: () => number, patienceMs = manyMsMax): Queues {
  const queues = new Map<Client, Queue>()

  function hasTooMany(queue: Queue, max: number): boolean {
    if (queue.works <= max) queue.manySince = undefined
    else queue.manySince ??= performance.now()
    return queue.manySince !== undefined && performance.now() - queue.manySince >= patienceMs
  }

  function beginNext(queue: Queue): void {
    while (queue.waiting.length > 0) {
      const max = atOnceMax()
      // Who has few left is through with what was too many: no piece of it need wait for another any more.
      const way = hasTooMany(queue, max) ? 'one by one' : 'at once'
      if (way === 'at once' ? queue.atOnce >= max : queue.isLaneBusy) return
      if (way === 'at once') queue.atOnce += 1
      else queue.isLaneBusy = true
      queue.waiting.shift()?.(way)
    }
  }

  async function end(client: Client, queue: Queue, way: Way, ms: number): Promise<void> {
    queue.works -= 1
    if (way === 'at once') queue.atOnce -= 1
    beginNext(queue)
    if (way === 'one by one') {
      await pause(restWorks * ms)
      queue.isLaneBusy = false
      beginNext(queue)
    }
    if (queue.works === 0 && !queue.isLaneBusy) queues.delete(client)
  }

  return {
    async run(client, work) {
      const queue = queues.get(client) ?? {
        waiting: [],
        works: 0,
        atOnce: 0,
        manySince: undefined,
        isLaneBusy: false,
      }
      queues.set(client, queue)
      queue.works += 1
      const { promise, resolve } = Promise.withResolvers<Way>()
      queue.waiting.push(resolve)
      beginNext(queue)
      const way = await promise
      const startedAt = performance.now()
      try {
        return await work()
      } finally {
        void end(client, queue, way, performance.now() - startedAt)
      }
    },
  }
}
