/**
 * Room for connections, and for what clients have under way on them.
 *
 * Each client has a share of the requests under way, so that no client can have them all. An idle connection costs next
 * to nothing. When there is no room for a newcomer, the connection that has been idle for longest gives way. So
 * connections that only stand there, or never finish a request's head, keep no newcomer out.
 *
 * Tails stay for hours and there are thousands of them, so they have room of their own: they cannot keep publishers
 * out, and slow publishers cannot take theirs.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Overloaded } from '@sekali/core/errors'
import { createBudget, type Share } from '../clients/budget.ts'
import { type Client, createClients } from '../clients/clients.ts'
import { createIdleSeats } from './idle-seats.ts'

export interface Connections {
  readonly max: number
  /** Admits a new connection. If there is no room an idle one is closed; if all are busy it throws as a budget does. */
  admit(socket: Socket): Seat
  /** A request begins on the connection. Throws `Overloaded` or `ClientLimit`, as a budget does. */
  begin(seat: Seat, request: IncomingMessage): void
  /** The request is over. */
  end(seat: Seat): void
  /** Counts the connection among the tails. False if there is no room. Throws `ClientLimit`. */
  becomeTail(socket: Socket): boolean
  /** Counts it as an ordinary connection again: the tail was refused, or is over. */
  leaveTails(socket: Socket): void
}

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

/** What bodies may take together is bounded elsewhere: see body.ts and responses.ts. */
export function createConnections({
  ordinaryMax = 1_024,
  tailsMax = 4_096,
  clients = createClients(),
} = {}): Connections {
  const seats = new Map<Socket, Seat>()
  const idle = createIdleSeats<Seat>()
  const requests = createBudget(ordinaryMax, 'too many requests are under way')
  const tails = createBudget(tailsMax, 'there are too many tails')
  let tailing = 0

  function sit(socket: Socket, peer = clients.of({ socket, headers: {} })): Seat {
    const request = requests.share(peer)
    const isProxy = clients.isProxy(socket)
    const seat: Seat = { socket, peer, isProxy, client: peer, request, tail: undefined }
    seats.set(socket, seat)
    idle.add(seat)
    socket.once('close', () => leave(seat))
    return seat
  }

  function leave(seat: Seat): void {
    seat.request.hold(0)
    leaveTails(seat)
    seats.delete(seat.socket)
    idle.delete(seat)
  }

  function leaveTails(seat: Seat): void {
    if (seat.tail === undefined) return
    seat.tail[Symbol.dispose]()
    seat.tail = undefined
    tailing -= 1
  }

  const ordinary = () => seats.size - tailing

  /** Hangs up on an idle connection. False if there is none. */
  function makeRoom(peer: Client): boolean {
    const seat = idle.toGiveWay(peer)
    if (seat === undefined) return false
    leave(seat)
    seat.socket.destroy()
    return true
  }

  return {
    max: ordinaryMax + tailsMax,
    admit(socket) {
      const peer = clients.of({ socket, headers: {} })
      if (ordinary() < ordinaryMax || makeRoom(peer)) return sit(socket, peer)
      using share = requests.share(peer)
      share.hold(1) // throws the error that names whose fault it is
      throw new Overloaded('all connections are busy')
    },
    begin(seat, request) {
      idle.delete(seat)
      const client = seat.isProxy ? clients.of(request) : seat.peer
      if (client !== seat.client) {
        seat.client = client
        seat.request = requests.share(client)
      }
      seat.request.hold(1)
    },
    end(seat) {
      seat.request.hold(0)
      leaveTails(seat)
      if (seats.has(seat.socket)) idle.add(seat) // its response may close after it
      // A connection that was a tail, or was to be one, comes back; others may have filled the room meanwhile.
      if (ordinary() > ordinaryMax) makeRoom(seat.peer)
    },
    becomeTail(socket) {
      if (socket.destroyed) return false
      const seat = seats.get(socket) ?? sit(socket)
      const tail = tails.share(seat.client)
      try {
        tail.hold(1)
      } catch (error) {
        if (error instanceof Overloaded) return false
        throw error
      }
      seat.tail = tail
      idle.delete(seat)
      seat.request.hold(0)
      tailing += 1
      return true
    },
    leaveTails(socket) {
      const seat = seats.get(socket)
      if (seat !== undefined) leaveTails(seat)
    },
  }
}
