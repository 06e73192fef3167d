/**
 * Connections that have arrived and are not served yet.
 *
 * The kernel hands them over in the order in which they came. To serve one costs half a millisecond, so whoever came behind
 * two thousand of one client waited a second. To take one costs a fraction of that: so while more are coming, only the
 * first few of each client are served, and the others wait unread in a queue of their client. Once all have been taken,
 * clients are served in turns.
 */
import type { Socket } from 'node:net'
import type { Client, Clients } from '../clients/clients.ts'

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
/** Passes of the event loop between two that are served although more are coming. */
const passesBetween = 32
/** Connections that are served in a pass in which none came: their requests are begun in the next. */
const servedInPass = 2

/** More than `openMax` open connections are closed without a word. */
export function createArrivals(
  clients: Pick<Clients, 'of' | 'areSeveral'>,
  openMax: number,
  serve: (socket: Socket) => void,
): Arrivals {
  /** Of each client; the one that is served next comes first. */
  const waiting = new Map<Client, Socket[]>()
  /** How many of each client were served since a pass in which none came. */
  const atOnce = new Map<Client, number>()
  let open = 0
  let isWatching = false
  let hasArrived = false
  let passes = 0

  function watch(): void {
    if (!isWatching) setImmediate(look)
    isWatching = true
  }

  function look(): void {
    isWatching = false
    passes += 1
    if (!hasArrived) {
      atOnce.clear()
      for (let n = 0; n < servedInPass; n += 1) serveNext()
    } else if (passes % passesBetween === 0) serveNext()
    if (hasArrived || waiting.size > 0) watch()
    hasArrived = false
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
      hasArrived = true
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
