import type { Logger } from '../start/log.ts'
import { backoff } from './backoff.ts'

/** When more names than this fail in a row, the cause is taken to be common to all: PostgreSQL, for instance. */
const ownTroublesMax = 2

/** How long to wait before the name, and before anything, is tried again. */
interface Delays {
  readonly ownMs: number
  readonly loopMs: number
}

export interface Troubles<Name extends string> {
  /** Notes and logs the failure of a name's turn; without a name, the failure to take any turn. */
  note(name: Name | undefined, error: unknown): Delays
  /** After a success: a turn of the name; without a name, finding that others have all turns. */
  forget(name: Name | undefined): void
  /** The last failure, if nothing has succeeded since. Not one of long ago: others may have done the work meanwhile. */
  lasting(): unknown
}

/** Longer than a turn that times out, and the wait for the next, take together. */
const lastingMs = 15_000

/**
 * Distinguishes a name that fails from an infrastructure that does, and says how long to wait for each. `what` is the log's
 * field for the name, for instance `topic`.
 */
export function createTroubles<Name extends string>(what: string, log: Logger): Troubles<Name> {
  const failures = new Map<Name | undefined, number>()
  const inARow = new Set<Name | undefined>()
  let last: { readonly error: unknown; readonly atMs: number } | undefined
  return {
    note(name, error) {
      last = { error, atMs: performance.now() }
      const count = (failures.get(name) ?? 0) + 1
      failures.set(name, count)
      inARow.add(name)
      // A fault lasts for many tries. The first line says what it is, the others only that it lasts.
      if (Number.isInteger(Math.log2(count))) {
        log.warn({ [what]: name, failures: count, err: error }, 'turn failed, will be tried again')
      }
      const common = name === undefined ? count : inARow.size - ownTroublesMax
      return { ownMs: backoff(count), loopMs: common > 0 ? backoff(common) : 0 }
    },
    forget(name) {
      last = undefined
      inARow.clear()
      failures.delete(undefined)
      if (name !== undefined) failures.delete(name)
    },
    lasting: () => (last !== undefined && performance.now() - last.atMs < lastingMs ? last.error : undefined),
  }
}
