/**
 * Reads of events for all feeds. When one event concerns many feeds, they want the same ranges at the same time, and
 * get them from one read.
 */
import type { Store } from '@sekali/store/connect'
import { type Range, type RangeEvent, readRanges } from '@sekali/store/ranges'
import { createSlots } from '../clients/slots.ts'
import { createRounds } from './rounds.ts'

export interface FeedReads {
  /** The first events of the ranges, when it is the feed's turn to pass them on. Rejects with `StoreUnavailable`. */
  read(ranges: readonly Range[]): Promise<readonly RangeEvent[]>
}

/** Connections of the pool that serve feeds. */
const readsMax = 2
const pageLimits = { eventsMax: 1_000, bytesMax: 256 * 1024 } as const

export function createFeedReads(store: Store): FeedReads {
  const slots = createSlots(readsMax)
  const rounds = createRounds()
  const underWay = new Map<string, Promise<readonly RangeEvent[]>>()

  async function readNow(ranges: readonly Range[]): Promise<readonly RangeEvent[]> {
    using _slot = await slots.take()
    return await readRanges(store, ranges, pageLimits)
  }

  return {
    async read(ranges) {
      const key = ranges
        .map(({ topicId, epoch, after, upTo }) => `${topicId}.${epoch}.${after}.${upTo}`)
        .join()
      let reading = underWay.get(key)
      if (reading === undefined) {
        reading = readNow(ranges).finally(() => underWay.delete(key))
        underWay.set(key, reading)
      }
      const events = await reading
      await rounds()
      return events
    },
  }
}
