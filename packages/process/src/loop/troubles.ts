import type { Logger } from '../start/log.ts'
import { backoff } from './backoff.ts'

/** How many names may fail one after the other before it is taken for the fault of something that all need. */
const ownTroublesMax = 2

/** How long to wait before the name, and before anything, is tried again. */
interface Delays {
  readonly ownMs: number
  readonly loopMs: number
}

export interface Troubles<Name extends string> {
  /** Takes note of a failure, of a name's turn or, without a name, of having found none. Says it in the log. */
  note(name: Name | undefined, error: unknown): Delays
  /** After something went well: a turn of the name, or finding that others have all turns. */
  forget(name: Name | undefined): void
}

/**
 * Tells a name that is in trouble from an infrastructure that is, and how long to leave each alone. `what` the names
 * are, for instance `topic`, is the field of the log that has them.
 */
export function createTroubles<Name extends string>(what: string, log: Logger): Troubles<Name> {
  const failures = new Map<Name | undefined, number>()
  const inARow = new Set<Name | undefined>()
  return {
    note(name, error) {
      const count = (failures.get(name) ?? 0) + 1
      failures.set(name, count)
      inARow.add(name)
      // A fault lasts for many tries: the first says what it is, the others only that it lasts.
      if (Number.isInteger(Math.log2(count))) {
        log.warn({ [what]: name, failures: count, err: error }, 'turn failed, will be tried again')
      }
      const common = name === undefined ? count : inARow.size - ownTroublesMax
      return { ownMs: backoff(count), loopMs: common > 0 ? backoff(common) : 0 }
    },
    forget(name) {
      inARow.clear()
      failures.delete(undefined)
      if (name !== undefined) failures.delete(name)
    },
  }
}
