/**
 * Reads and writes of PostgreSQL for requests. Of the pool's connections they get some, so that feeds, replays and
 * receipts of publishers keep theirs; and each client gets its share, so that one that floods pages, and reads them,
 * waits for itself. Without that the pool serves who came first, and gives up whom it kept waiting: of the others'
 * pages two of three were refused while 600 connections of one client asked.
 *
 * A share of the connections is not a share of the processor: three connections that make pages of a megabyte all the
 * time leave little of two cores. So while others are there, those that a client has beyond a few go one after the other.
 *
 * A request waits for two seconds at most, and no longer than its client: nothing waits for an answer nobody reads.
 */

import type { HttpBindings } from '@hono/node-server'
import { Overloaded } from '@sekali/core/errors'
import type { Context } from 'hono'
import type { Clients } from '../clients/clients.ts'
import { createLanes } from '../clients/queues.ts'
import { createSlots } from '../clients/slots.ts'
import type { Handler } from '../http/router.ts'

export interface StoreSlots {
  /** Resolves with what `work` does. Rejects with `Overloaded` when its turn did not come in time. */
  run<T>(c: Context, work: () => Promise<T>): Promise<T>
  /** The same handler, all of which waits for its turn. */
  slotted(handler: Handler): Handler
}

/** Of the pool's 8 connections. A client alone gets all but one. */
const slotsMax = 4
/** Requests of a client that is not alone, before those that come go one by one. */
const amongOthersMax = 3

export function createStoreSlots(clients: Clients, waitMs = 2_000): StoreSlots {
  const slots = createSlots(slotsMax)
  const lanes = createLanes(() => (clients.areSeveral() ? amongOthersMax : Number.POSITIVE_INFINITY))

  async function run<T>(c: Context, work: () => Promise<T>): Promise<T> {
    const { incoming, outgoing } = (c.env ?? {}) as Partial<HttpBindings>
    const client = clients.of(incoming)
    const controller = new AbortController()
    const gaveUp = Promise.withResolvers<never>()
    const giveUp = () => {
      const error = new Overloaded('too many requests wait for PostgreSQL')
      controller.abort(error)
      gaveUp.reject(error)
    }
    const timer = setTimeout(giveUp, waitMs)
    outgoing?.once('close', giveUp)
    const stopWaiting = () => {
      clearTimeout(timer)
      outgoing?.off('close', giveUp)
    }
    try {
      const worked = lanes.run(client, async () => {
        using _slot = await slots.take(1, client, controller.signal)
        stopWaiting()
        return await work()
      })
      return await Promise.race([worked, gaveUp.promise])
    } finally {
      stopWaiting()
    }
  }

  return { run, slotted: (handler) => (c) => run(c, async () => await handler(c)) }
}
