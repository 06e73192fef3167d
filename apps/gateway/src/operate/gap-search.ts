import type { Store } from '@sekali/store/connect'
import { type GapFound, type GapPlace, lookForGaps } from '@sekali/store/gaps'

/** How long one search looks, in milliseconds: a large log is looked at over several. */
const searchMsMax = 250

export interface GapsFound {
  /** The gap that was come across first in each topic that has any. */
  readonly gaps: readonly GapFound[]
  /** Seqs that were looked at since the search last began anew. */
  readonly seqs: number
  /** Whether those are all. */
  readonly isWhole: boolean
}

/**
 * Searches the log for rows that somebody has deleted. Each call goes on where the last one stopped, and begins anew once
 * all is looked at; what was found before is among what is found until its place is looked at again. Rejects with
 * `StoreUnavailable`.
 */
export function createGapSearch(store: Store, msMax = searchMsMax): () => Promise<GapsFound> {
  let place: GapPlace | undefined
  let before = new Map<string, GapFound>()
  let found = new Map<string, GapFound>()
  let seqs = 0

  return async () => {
    const until = performance.now() + msMax
    if (place === undefined) {
      before = found
      found = new Map()
      seqs = 0
    }
    do {
      const look = await lookForGaps(store, place)
      seqs += look.seqs
      place = look.next
      for (const gap of look.found) if (!found.has(gap.topic)) found.set(gap.topic, gap)
    } while (place !== undefined && performance.now() < until)
    const isWhole = place === undefined
    const gaps = new Map([...(isWhole ? [] : before), ...found])
    return { gaps: [...gaps.values()], seqs, isWhole }
  }
}
