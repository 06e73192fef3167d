/**
 * The connections without a request under way, and which of them gives way to a newcomer.
 *
 * A full door looks for one with every newcomer, so that must not cost a look at all seats. A set keeps the order in which
 * its members came, and a seat comes again whenever it becomes idle: the first of a set has been idle for longest.
 */
import type { Client } from '../clients/clients.ts'

/** A connection, and who is at its other end. */
interface Peered {
  readonly peer: Client
}

export interface IdleSeats<Seat extends Peered> {
  /** It is idle from now on. */
  add(seat: Seat): void
  /** It is busy, or gone. */
  delete(seat: Seat): void
  /**
   * The connection that has been idle for longest; but one of the newcomer's own peer if that has as many of them or
   * more, so that a client that connects again and again closes its own.
   */
  toGiveWay(newcomer: Client): Seat | undefined
}

export function createIdleSeats<Seat extends Peered>(): IdleSeats<Seat> {
  const idle = new Set<Seat>()
  const byPeer = new Map<Client, Set<Seat>>()
  return {
    add(seat) {
      idle.add(seat)
      const own = byPeer.get(seat.peer)
      if (own === undefined) byPeer.set(seat.peer, new Set([seat]))
      else own.add(seat)
    },
    delete(seat) {
      idle.delete(seat)
      const own = byPeer.get(seat.peer)
      own?.delete(seat)
      if (own?.size === 0) byPeer.delete(seat.peer)
    },
    toGiveWay(newcomer) {
      const longest = first(idle)
      if (longest === undefined) return undefined
      const own = byPeer.get(newcomer)
      const others = byPeer.get(longest.peer)
      return own !== undefined && own.size >= (others?.size ?? 0) ? first(own) : longest
    },
  }
}

function first<Seat>(seats: Iterable<Seat>): Seat | undefined {
  for (const seat of seats) return seat
  return undefined
}
