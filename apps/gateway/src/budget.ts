import { Overloaded } from '@sekali/core/errors'

/** Bytes of bodies that may be in memory at a time, over all requests. */
export interface Budget {
  share(): Share
}

/** What one request holds. Given back with its scope. */
export interface Share extends Disposable {
  /** Says how many bytes the request holds now, more or fewer than before. Throws `Overloaded` if they do not fit. */
  hold(bytes: number): void
}

/**
 * Bounds what requests hold in memory together: a thousand connections of 8 MiB each would be 8 GiB. It counts what
 * has arrived and not what was announced, so that a client that only announces takes nothing from the others.
 */
export function createBudget(bytesMax: number): Budget {
  let inUse = 0
  return {
    share() {
      let held = 0
      return {
        hold(bytes) {
          if (bytes > held && inUse + bytes - held > bytesMax) {
            throw new Overloaded('too many bytes are under way')
          }
          inUse += bytes - held
          held = bytes
        },
        [Symbol.dispose]() {
          inUse -= held
          held = 0
        },
      }
    },
  }
}
