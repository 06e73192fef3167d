/**
 * A queue of work for each client. A client does a few pieces at once; the pieces beyond them run one after the other, and
 * a rest follows each. Otherwise three hundred streams that begin at once, or a flood of pages, would take the event loop
 * and PostgreSQL from everybody else.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from './clients.ts'

export interface Queues {
  /** Resolves with what `work` does, or rejects as it does. */
  run<T>(client: Client, work: () => Promise<T>): Promise<T>
}

/** How long a rest is, in times of the work before it. */
const restWorks = 0.5

interface Queue {
  /** Pieces that are under way or wait. */
  works: number
  /** Resolves when the last of the pieces that run one by one is over, and its rest. */
  last: Promise<void>
}

/** `atOnceMax` is called for each piece. It returns how many pieces of a client may run side by side. */
export function createQueues(atOnceMax: () => number): Queues {
  const queues = new Map<Client, Queue>()

  async function inOrder<T>(queue: Queue, work: () => Promise<T>): Promise<T> {
    const before = queue.last
    const { promise, resolve } = Promise.withResolvers<void>()
    queue.last = promise
    await before
    const startedAt = performance.now()
    try {
      return await work()
    } finally {
      void pause(restWorks * (performance.now() - startedAt)).then(resolve)
    }
  }

  return {
    async run(client, work) {
      const queue = queues.get(client) ?? { works: 0, last: Promise.resolve() }
      queues.set(client, queue)
      queue.works += 1
      try {
        return await (queue.works <= atOnceMax() ? work() : inOrder(queue, work))
      } finally {
        queue.works -= 1
        if (queue.works === 0) queues.delete(client)
      }
    },
  }
}
