/**
 * Reads and writes of PostgreSQL for requests. They get some of the pool's connections, so that feeds, replays and
 * receipts of publishers keep theirs. Each client gets a share, so that one that floods the gateway waits for itself.
 * Without shares the pool serves in order of arrival and gives up what waits too long: two of three pages of the others
 * were refused while one client had 600 connections.
 *
 * A share of the connections is not a share of the processor: three connections that make pages of a megabyte all the
 * time leave little of two cores. So while there are other clients, a client's requests beyond a few run one by one, if
 * they do not become fewer by themselves (queues.ts).
 *
 * A request waits for two seconds at most, and no longer than its client stays.
 */
import type { HttpBindings } from '@hono/node-server'
import { Overloaded } from '@sekali/core/errors'
import type { Context } from 'hono'
import type { Client, Clients } from '../clients/clients.ts'
import { createQueues } from '../clients/queues.ts'
import { createSlots } from '../clients/slots.ts'
import type { Handler } from '../http/router.ts'

export interface StoreSlots {
  /** Resolves with what `work` does. Rejects with `Overloaded` when there was no slot in time. */
  run<T>(c: Context, work: () => Promise<T>): Promise<T>
  /** The same for what is of one client, or of none, and does not end when that leaves. */
  share<T>(client: Client | undefined, work: () => Promise<T>): Promise<T>
  /** The same handler, which holds a slot all the time. */
  slotted(handler: Handler): Handler
}

/** Of the pool's connections. A client alone gets all but one. */
const slotsMax = 4
/** Further ones of workers: they write, and what waits for the disk must not keep those waiting who read. */
const workSlotsMax = 3

export const createStoreSlots = (clients: Clients, waitMs?: number): StoreSlots =>
  createSlotsOf(clients, slotsMax, waitMs)

// Of a subscription one call is under way at a time, and others would wait behind a client's rests.
export const createWorkSlots = (clients: Clients): StoreSlots =>
  createSlotsOf(clients, workSlotsMax, undefined, () => Number.POSITIVE_INFINITY)

function createSlotsOf(
  clients: Clients,
  max: number,
  waitMs = 2_000,
  // Requests of a client that run side by side while there are other clients.
  atOnceMax = () => (clients.areSeveral() ? max - 1 : Number.POSITIVE_INFINITY),
): StoreSlots {
  const slots = createSlots(max)
  const queues = createQueues(atOnceMax)

  function run<T>(c: Context, work: () => Promise<T>): Promise<T> {
    const { incoming, outgoing } = (c.env ?? {}) as Partial<HttpBindings>
    return take(clients.of(incoming), outgoing, work)
  }

  async function take<T>(
    client: Client | undefined,
    outgoing: HttpBindings['outgoing'] | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    using wait = beginWait(outgoing, waitMs)
    const begin = async () => {
      using _slot = await slots.take(1, client, wait.signal)
      wait.end()
      return await work()
    }
    const worked = client === undefined ? begin() : queues.run(client, begin)
    return await Promise.race([worked, wait.givenUp])
  }

  return {
    run,
    share: (client, work) => take(client, undefined, work),
    slotted: (handler) => (c) => run(c, async () => await handler(c)),
  }
}

interface Wait extends Disposable {
  /** Aborted when the wait is given up, with the error that `givenUp` rejects with. */
  readonly signal: AbortSignal
  readonly givenUp: Promise<never>
  /** The slot is there: nothing is given up any more. */
  end(): void
}

/**
 * Waits for `ms`, or until the client leaves. `withDeadline` would not do: it counts until the work is over, and this
 * wait is over when the work begins.
 */
function beginWait(outgoing: HttpBindings['outgoing'] | undefined, ms: number): Wait {
  const controller = new AbortController()
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  const giveUp = () => {
    const error = new Overloaded('too many requests wait for PostgreSQL')
    controller.abort(error)
    reject(error)
  }
  const timer = setTimeout(giveUp, ms)
  outgoing?.once('close', giveUp)
  const end = () => {
    clearTimeout(timer)
    outgoing?.off('close', giveUp)
  }
  return { signal: controller.signal, givenUp, end, [Symbol.dispose]: end }
}
