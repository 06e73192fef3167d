import { Overloaded } from '@sekali/core/errors'

/** How much, of bytes of bodies for instance, may be held in memory at a time, over all requests. */
export interface Budget {
  share(): Share
}

/** What one request holds. Given back with its scope. */
export interface Share extends Disposable {
  /**
   * Says how much the request holds now, more or less than before. Throws `Overloaded` if it does not fit.
   */
  hold(amount: number): void
}

/**
 * Bounds what requests hold in memory together: a thousand connections of 8 MiB each would be 8 GiB. It counts what
 * has arrived and not what was announced, so that a client that only announces takes nothing from the others.
 */
export function createBudget(max: number, refusal = 'too many bytes are under way'): Budget {
  let inUse = 0
  return {
    share() {
      let held = 0
      return {
        hold(amount) {
          if (amount > held && inUse + amount - held > max) throw new Overloaded(refusal)
          inUse += amount - held
          held = amount
        },
        [Symbol.dispose]() {
          inUse -= held
          held = 0
        },
      }
    },
  }
}
