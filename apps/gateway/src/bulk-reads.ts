/**
 * Reads of history for tails. A few of a client go as fast as they can. When it has more under way they go one after the other, and each is followed by a rest: three hundred
 * tails that begin at once would otherwise take the event loop and PostgreSQL from everybody else for as long as
 * sockets take what is read, which is megabytes each.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from './clients.ts'
import { createSlots } from './slots.ts'

export interface BulkReads {
  /** Resolves with what `read` does, or rejects as it does. */
  run<T>(client: Client, read: () => Promise<T>): Promise<T>
}

/** Reads of a client that do not wait for each other. */
const atOnceMax = 4
/** How long a rest is, in reads. */
const restReads = 0.5

interface Lane {
  /** Reads that are under way or wait. */
  reads: number
  /** Resolves when the last of those that go one by one is over, and its rest. */
  last: Promise<void>
}

/** At most `readsMax` at a time, of all clients. */
export function createBulkReads(readsMax: number): BulkReads {
  const slots = createSlots(readsMax)
  const lanes = new Map<Client, Lane>()

  async function one<T>(client: Client, read: () => Promise<T>): Promise<T> {
    using _slot = await slots.take(1, client)
    return await read()
  }

  async function inLine<T>(lane: Lane, client: Client, read: () => Promise<T>): Promise<T> {
    const before = lane.last
    const { promise, resolve } = Promise.withResolvers<void>()
    lane.last = promise
    await before
    const startedAt = performance.now()
    try {
      return await one(client, read)
    } finally {
      void pause(restReads * (performance.now() - startedAt)).then(resolve)
    }
  }

  return {
    async run(client, read) {
      const lane = lanes.get(client) ?? { reads: 0, last: Promise.resolve() }
      lanes.set(client, lane)
      lane.reads += 1
      try {
        return await (lane.reads <= atOnceMax ? one(client, read) : inLine(lane, client, read))
      } finally {
        lane.reads -= 1
        if (lane.reads === 0) lanes.delete(client)
      }
    },
  }
}
