import { Overloaded } from '@sekali/core/errors'

/** Bytes of bodies that may be in memory at a time, over all requests. */
export interface Budget {
  /** A share that grows with what is taken and is given back with its scope. `take` throws `Overloaded`. */
  share(): Disposable & { take(bytes: number): void }
}

/**
 * Bounds what requests hold in memory together: a thousand connections of 8 MiB each would be 8 GiB. What does not
 * fit is told to come again, before it is read.
 */
export function createBudget(bytesMax: number): Budget {
  let inUse = 0
  return {
    share() {
      let taken = 0
      return {
        take(bytes) {
          if (inUse + bytes > bytesMax) throw new Overloaded('too many bytes are under way')
          inUse += bytes
          taken += bytes
        },
        [Symbol.dispose]() {
          inUse -= taken
          taken = 0
        },
      }
    },
  }
}
