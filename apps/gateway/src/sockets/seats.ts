/**
 * The connections that were admitted. An idle one costs next to nothing, so none is closed before its room is needed:
 * then the one that has been idle for longest gives way to the newcomer.
 */
import type { Socket } from 'node:net'
import type { Budget, Share } from '../clients/budget.ts'
import type { Client, Clients } from '../clients/clients.ts'
import { createIdleSeats } from './idle-seats.ts'

/** A connection that was admitted. */
export interface Seat {
  readonly socket: Socket
  /** Who is at its other end: a client, or a proxy. */
  readonly peer: Client
  readonly isProxy: boolean
  /** The client of the request under way, or of the last one. */
  client: Client
  /** That client's share of the requests under way. */
  request: Share
  tail: Share | undefined
}

export interface Seats {
  /** How many there are, tails included. */
  count(): number
  of(socket: Socket): Seat | undefined
  /** Seats a connection, which is idle at first and has its seat until it closes. */
  sit(socket: Socket, peer?: Client): Seat
  /** A request is under way on it, or a tail: it cannot give way. */
  markBusy(seat: Seat): void
  /** Nothing is under way on it. */
  markIdle(seat: Seat): void
  /** Hangs up on an idle connection. False if there is none. */
  makeRoom(newcomer: Client): boolean
}

/** `onLeave` runs when a seat becomes free. */
export function createSeats(clients: Clients, requests: Budget, onLeave: (seat: Seat) => void): Seats {
  const seats = new Map<Socket, Seat>()
  const idle = createIdleSeats<Seat>()

  function leave(seat: Seat): void {
    seat.request.hold(0)
    onLeave(seat)
    seats.delete(seat.socket)
    idle.delete(seat)
  }

  return {
    count: () => seats.size,
    of: (socket) => seats.get(socket),
    sit(socket, peer = clients.of({ socket, headers: {} })) {
      const request = requests.share(peer)
      const isProxy = clients.isProxy(socket)
      const seat: Seat = { socket, peer, isProxy, client: peer, request, tail: undefined }
      seats.set(socket, seat)
      idle.add(seat)
      socket.once('close', () => leave(seat))
      return seat
    },
    markBusy: (seat) => idle.delete(seat),
    markIdle(seat) {
      if (seats.has(seat.socket)) idle.add(seat) // its response may close after it
    },
    makeRoom(newcomer) {
      const seat = idle.toGiveWay(newcomer)
      if (seat === undefined) return false
      leave(seat)
      seat.socket.destroy()
      return true
    },
  }
}
