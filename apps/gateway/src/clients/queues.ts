/**
 * Work of which each client does a little at once. What it has beyond that is done one after the other, and each piece is
 * followed by a rest: three hundred streams that begin at once, or a flood of pages, would otherwise take the event loop
 * and PostgreSQL from everybody else.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from './clients.ts'

export interface Lanes {
  /** Resolves with what `work` does, or rejects as it does. */
  run<T>(client: Client, work: () => Promise<T>): Promise<T>
}

/** How long a rest is, in times of the work before it. */
const restWorks = 0.5

interface Lane {
  /** Pieces that are under way or wait. */
  works: number
  /** Resolves when the last of those that go one by one is over, and its rest. */
  last: Promise<void>
}

/** `atOnceMax` is asked for each piece: so many of a client do not wait for each other. */
export function createLanes(atOnceMax: () => number): Lanes {
  const lanes = new Map<Client, Lane>()

  async function inLine<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    const before = lane.last
    const { promise, resolve } = Promise.withResolvers<void>()
    lane.last = promise
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
      const lane = lanes.get(client) ?? { works: 0, last: Promise.resolve() }
      lanes.set(client, lane)
      lane.works += 1
      try {
        return await (lane.works <= atOnceMax() ? work() : inLine(lane, work))
      } finally {
        lane.works -= 1
        if (lane.works === 0) lanes.delete(client)
      }
    },
  }
}
