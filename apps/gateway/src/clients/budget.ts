import { ClientLimit, Overloaded } from '@sekali/core/errors'
import type { Client } from './clients.ts'

/** A bound on what all requests together hold at a time, of bytes of bodies for instance. */
export interface Budget {
  /** The share of a request of this client. */
  share(client: Client): Share
}

/** What one request holds. Given back with its scope. */
export interface Share extends Disposable {
  /**
   * Sets how much the request holds now, more or less than before. Throws `Overloaded` if it does not fit, and
   * `ClientLimit` if it would fit and its client holds too much of what there is.
   */
  hold(amount: number): void
}

/**
 * A client may hold this many times what is free. One that takes all it can gets three quarters, two get three sevenths
 * each, and something is always left for the next. While there is plenty nobody notices.
 * Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998.
 */
export const shareOfFree = 3

/**
 * Bounds what requests hold in memory together: a thousand connections of 8 MiB each would be 8 GiB. It counts what
 * has arrived and not what was announced, so that a client that only announces takes nothing from the others.
 */
export function createBudget(max: number, refusal = 'too many bytes are under way'): Budget {
  const heldBy = new Map<Client, number>()
  let inUse = 0

  function take(client: Client, amount: number): void {
    const held = (heldBy.get(client) ?? 0) + amount
    if (held === 0) heldBy.delete(client)
    else heldBy.set(client, held)
    inUse += amount
  }

  return {
    share(client) {
      let held = 0
      return {
        hold(amount) {
          const more = amount - held
          if (more > 0) {
            const free = max - inUse
            if (more > free) throw new Overloaded(refusal)
            // As if it took them one by one: the last one must be within the client's share.
            if ((heldBy.get(client) ?? 0) + more - 1 >= shareOfFree * (free - more + 1)) {
              throw new ClientLimit(`${refusal}, most of it of one client`)
            }
          }
          take(client, more)
          held = amount
        },
        [Symbol.dispose]() {
          take(client, -held)
          held = 0
        },
      }
    },
  }
}
