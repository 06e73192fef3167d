/**
 * Connections that have arrived and are not served yet.
 *
 * The kernel hands them over in the order in which they came. To serve one costs half a millisecond, so whoever came behind
 * two thousand of one client waited a second. To take one costs a fraction of that: so while a crowd is coming, only the
 * first few of each client are served, and the others wait unread in a queue of their client. Once all have been taken,
 * clients are served in turns.
 *
 * A crowd is what fills the doors: each of them gives a connection in a pass of the event loop. One or two in a pass are
 * none: where passes take long, those who come steadily are in every one of them, and waited for two seconds.
 */
import type { Socket } from 'node:net'
import type { Client, Clients } from '../clients/clients.ts'
import { doorCount } from './doors.ts'

export interface Arrivals {
  /** Serves a connection, now or when it is its client's turn. */
  add(socket: Socket): void
  /** Serves all that wait. */
  flush(): void
}

/** Connections of a client that are served at once, however many more are coming. */
const atOnceMax = 16
/** Clients that are counted. If more come without a pause, their count begins anew. */
const countedMax = 4_096
/** Connections that come in one pass of the event loop if there is a crowd. */
const crowdMin = Math.max(2, Math.ceil(doorCount / 2))
/** While a crowd is coming, some are served so often. */
const servedEveryMs = 20
/** How many, and at least in a pass without a crowd: their requests are begun in the next. */
const servedInPass = 2

/** More than `openMax` open connections are closed without a word. */
export function createArrivals(
  clients: Pick<Clients, 'of' | 'areSeveral'>,
  openMax: number,
  serve: (socket: Socket) => void,
): Arrivals {
  /** Of each client; the one that is served next comes first. */
  const waiting = new Map<Client, Socket[]>()
  /** How many of each client were served since a pass without a crowd. */
  const atOnce = new Map<Client, number>()
  let open = 0
  let isWatching = false
  /** In this pass. */
  let arrived = 0
  let servedAt = 0

  function watch(): void {
    if (!isWatching) setImmediate(look)
    isWatching = true
  }

  function look(): void {
    isWatching = false
    const isCrowd = arrived >= crowdMin
    if (!isCrowd) {
      atOnce.clear()
      serveSome(Math.max(servedInPass, 2 * arrived)) // more than come, or they would wait for ever
    } else if (performance.now() - servedAt >= servedEveryMs) serveSome(servedInPass)
    if (arrived > 0 || waiting.size > 0) watch()
    arrived = 0
  }

  function serveSome(count: number): void {
    servedAt = performance.now()
    for (let n = 0; n < count; n += 1) serveNext()
  }

  function serveNext(): void {
    for (const [client, sockets] of waiting) {
      const socket = sockets.shift()
      waiting.delete(client)
      if (sockets.length > 0) waiting.set(client, sockets)
      if (socket !== undefined) serve(socket)
      return
    }
  }

  return {
    add(socket) {
      if (open >= openMax) return void socket.destroy()
      open += 1
      socket.once('close', () => {
        open -= 1
      })
      const client = clients.of({ socket, headers: {} })
      const queue = waiting.get(client)
      const count = (atOnce.get(client) ?? 0) + 1
      if (atOnce.size >= countedMax) atOnce.clear()
      atOnce.set(client, count)
      arrived += 1
      watch()
      // Whoever is alone takes nothing from others.
      if (queue !== undefined) queue.push(socket)
      else if (count <= atOnceMax || !clients.areSeveral()) serve(socket)
      else waiting.set(client, [socket])
    },
    flush() {
      for (const sockets of waiting.values()) for (const socket of sockets) serve(socket)
      waiting.clear()
    },
  }
}
