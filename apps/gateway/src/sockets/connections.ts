/**
 * Room for connections, and for what clients have under way on them.
 *
 * Each client has a share of the requests under way, so that no client can have them all. When there is no room for a
 * newcomer, the connection that has been idle for longest gives way (seats.ts). So connections that only stand there,
 * or never finish a request's head, keep no newcomer out. Tails have room of their own (tail-room.ts).
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Overloaded } from '@sekali/core/errors'
import { createBudget } from '../clients/budget.ts'
import { type Clients, createClients } from '../clients/clients.ts'
import { createSeats, type Seat } from './seats.ts'
import { createTailRoom } from './tail-room.ts'

export interface Connections {
  readonly max: number
  readonly clients: Clients
  /** How many are open, tails included. */
  count(): number
  tailsCount(): number
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

/** What bodies may take together is bounded elsewhere: see body.ts and responses.ts. */
export function createConnections({
  ordinaryMax = 1_024,
  tailsMax = 4_096,
  clients = createClients(),
} = {}): Connections {
  const requests = createBudget(ordinaryMax, 'too many requests are under way')
  const tails = createTailRoom(tailsMax)
  const seats = createSeats(clients, requests, tails.leave)
  const ordinary = () => seats.count() - tails.count()
  return {
    max: ordinaryMax + tailsMax,
    clients,
    count: seats.count,
    tailsCount: tails.count,
    admit(socket) {
      const peer = clients.of({ socket, headers: {} })
      if (ordinary() < ordinaryMax || seats.makeRoom(peer)) return seats.sit(socket, peer)
      using share = requests.share(peer)
      share.hold(1) // throws the error that names whose fault it is
      throw new Overloaded('all connections are busy')
    },
    begin(seat, request) {
      seats.markBusy(seat)
      const client = seat.isProxy ? clients.of(request) : seat.peer
      if (client !== seat.client) {
        seat.client = client
        seat.request = requests.share(client)
      }
      seat.request.hold(1)
    },
    end(seat) {
      seat.request.hold(0)
      tails.leave(seat)
      seats.markIdle(seat)
      // A connection that was a tail, or was to be one, comes back; others may have filled the room meanwhile.
      if (ordinary() > ordinaryMax) seats.makeRoom(seat.peer)
    },
    becomeTail(socket) {
      if (socket.destroyed) return false
      const seat = seats.of(socket) ?? seats.sit(socket)
      if (!tails.enter(seat)) return false
      seats.markBusy(seat)
      seat.request.hold(0)
      return true
    },
    leaveTails(socket) {
      const seat = seats.of(socket)
      if (seat !== undefined) tails.leave(seat)
    },
  }
}
