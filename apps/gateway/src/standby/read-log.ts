/**
 * Reads of the log that may be of some moments ago: pages, replays, the history of tails. A standby has a prefix of each
 * topic, because turns of a topic commit one after the other, and it replays commits in their order. So what it gives is never
 * wrong, but what it lacks may be there: whatever it refuses, and whatever a caller takes for too little, the primary is
 * asked for.
 */
import { StoreUnavailable } from '@sekali/core/errors'
import type { Store } from '@sekali/store/connect'
import type { Standby } from './standby.ts'

/** Where a read goes to. */
export interface Source {
  readonly store: Store
  /** Whether the log must come as far as the bounds of the read, because this may be a standby that lags. */
  readonly mustReach: boolean
}

/**
 * What `read` gives of the standby; or of the primary, where the standby is not fit, `read` rejects there, or `isEnough` is
 * not true of what it gives. Rejects with what `read` rejects with at the primary.
 */
export type ReadLog = <T>(
  read: (source: Source) => Promise<T>,
  isEnough?: (found: T) => boolean,
) => Promise<T>

export function createReadLog(store: Store, standby?: Pick<Standby, 'store' | 'state' | 'doubt'>): ReadLog {
  return async (read, isEnough = () => true) => {
    const fromPrimary = () => read({ store, mustReach: false })
    if (standby === undefined || standby.state().unfit !== undefined) return await fromPrimary()
    try {
      const found = await read({ store: standby.store, mustReach: true })
      if (isEnough(found)) return found
    } catch (error) {
      // A cursor that is ahead, an epoch that it does not know, or no answer: the primary knows.
      if (error instanceof StoreUnavailable) standby.doubt()
    }
    return await fromPrimary()
  }
}
