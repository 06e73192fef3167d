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
  return new SharedBudget(max, refusal)
}

// Classes, because each request has some shares: an object with two closures costs three times as much as one of these.
class SharedBudget implements Budget {
  readonly #max: number
  readonly #refusal: string
  readonly #heldBy = new Map<Client, number>()
  #inUse = 0

  constructor(max: number, refusal: string) {
    this.#max = max
    this.#refusal = refusal
  }

  share(client: Client): Share {
    return new BudgetShare(this, client)
  }

  /** Takes more, or gives back what is less than nothing. */
  take(client: Client, more: number): void {
    const held = (this.#heldBy.get(client) ?? 0) + more
    if (more > 0) this.#requireRoom(held, more)
    if (held === 0) this.#heldBy.delete(client)
    else this.#heldBy.set(client, held)
    this.#inUse += more
  }

  #requireRoom(held: number, more: number): void {
    const free = this.#max - this.#inUse
    if (more > free) throw new Overloaded(this.#refusal)
    // As if it took them one by one: the last one must be within the client's share.
    if (held - 1 >= shareOfFree * (free - more + 1)) {
      throw new ClientLimit(`${this.#refusal}, most of it of one client`)
    }
  }
}

class BudgetShare implements Share {
  readonly #budget: SharedBudget
  readonly #client: Client
  #held = 0

  constructor(budget: SharedBudget, client: Client) {
    this.#budget = budget
    this.#client = client
  }

  hold(amount: number): void {
    if (amount === this.#held) return
    this.#budget.take(this.#client, amount - this.#held)
    this.#held = amount
  }

  [Symbol.dispose](): void {
    this.hold(0)
  }
}
