/**
 * Reads and writes of PostgreSQL for requests. Of the pool's connections they get some, so that feeds, replays and
 * receipts of publishers keep theirs; and each client gets its share, so that one that floods pages, and reads them,
 * waits for itself. Without that the pool serves who came first, and gives up whom it kept waiting: of the others'
 * pages two of three were refused while 600 connections of one client asked.
 *
 * A request waits for two seconds at most, and no longer than its client: nothing waits for an answer nobody reads.
 */

import type { HttpBindings } from '@hono/node-server'
import { Overloaded } from '@sekali/core/errors'
import type { Context } from 'hono'
import type { Clients } from './clients.ts'
import type { Handler } from './responses.ts'
import { createSlots } from './slots.ts'

export interface StoreSlots {
  /** Resolves with what `work` does. Rejects with `Overloaded` when its turn did not come in time. */
  run<T>(c: Context, work: () => Promise<T>): Promise<T>
  /** The same handler, all of which waits for its turn. */
  slotted(handler: Handler): Handler
}

/** Of the pool's 8 connections. A client alone gets all but one. */
const slotsMax = 4

export function createStoreSlots(clients: Clients, waitMs = 2_000): StoreSlots {
  const slots = createSlots(slotsMax)

  async function take(c: Context): Promise<Disposable> {
    const { incoming, outgoing } = (c.env ?? {}) as Partial<HttpBindings>
    const controller = new AbortController()
    const giveUp = () => controller.abort(new Overloaded('too many requests wait for PostgreSQL'))
    const timer = setTimeout(giveUp, waitMs)
    outgoing?.once('close', giveUp)
    try {
      return await slots.take(1, clients.of(incoming), controller.signal)
    } finally {
      clearTimeout(timer)
      outgoing?.off('close', giveUp)
    }
  }

  async function run<T>(c: Context, work: () => Promise<T>): Promise<T> {
    using _slot = await take(c)
    return await work()
  }

  return { run, slotted: (handler) => (c) => run(c, async () => await handler(c)) }
}
