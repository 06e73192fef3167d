import type { Duplex } from 'node:stream'

/**
 * Room for connections. Tails stay for hours and there are thousands of them, so they have room of their own: they
 * cannot keep publishers out, and slow publishers cannot take theirs.
 */
export interface Connections {
  readonly max: number
  /** Whether there is room for a new connection. It is an ordinary one until it becomes a tail. */
  admit(socket: Duplex): boolean
  /** Whether there is room for it among the tails; if so it counts there until it closes. */
  becomeTail(socket: Duplex): boolean
  /** It is an ordinary connection after all: the tail was refused. */
  leaveTails(socket: Duplex): void
}

/** What bodies may take together is bounded elsewhere: see budget.ts. */
export function createConnections({ ordinaryMax = 1_024, tailsMax = 4_096 } = {}): Connections {
  const ordinary = new Set<Duplex>()
  const tails = new Set<Duplex>()
  return {
    max: ordinaryMax + tailsMax,
    admit(socket) {
      if (ordinary.size >= ordinaryMax) return false
      ordinary.add(socket)
      socket.once('close', () => {
        ordinary.delete(socket)
        tails.delete(socket)
      })
      return true
    },
    becomeTail(socket) {
      if (tails.size >= tailsMax || socket.destroyed) return false
      ordinary.delete(socket)
      tails.add(socket)
      return true
    },
    leaveTails(socket) {
      if (tails.delete(socket) && !socket.destroyed) ordinary.add(socket)
    },
  }
}
