/**
 * Reads of events for all feeds. Those that want the same at the same time, because one event concerns all of
 * them, get it from one read.
 */
import type { Store } from '@sekali/store/connect'
import { type Range, type RangeEvent, readRanges } from '@sekali/store/ranges'
import { createSlots } from '../clients/slots.ts'
import { createRounds } from './rounds.ts'

export interface FeedReads {
  /** The first events of the ranges, when it is the feed's turn to pass them on. Rejects with `StoreUnavailable`. */
  read(ranges: readonly Range[]): Promise<readonly RangeEvent[]>
}

/** Of the pool's connections so many serve feeds. */
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
      const key = ranges.map(({ topicId, after, upTo }) => `${topicId}.${after}.${upTo}`).join()
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
