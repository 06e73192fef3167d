/** Follows the topics of a feed: reads new events into the ring, page by page, and wakes the readers after each page. */
import { setTimeout as pause } from 'node:timers/promises'
import { limits } from '@sekali/core/limits'
import type { Logger } from '@sekali/process/log'
import type { Range, RangeEvent } from '@sekali/store/ranges'
import type { FeedCursor } from './feed-cursor.ts'
import type { FeedReads } from './feed-reads.ts'
import type { Progress } from './progress.ts'
import { createRing, type Ring } from './ring.ts'
import type { RingShare } from './ring-room.ts'

export interface Follower {
  /** `undefined` until it has begun. */
  readonly ring: Ring | undefined
  /** Begins with an empty ring behind an id. */
  beginAfter(id: string): void
  /** Reads new events: one page at a time, and the next only when `onNew` is done with the last. Never rejects. */
  advance(): Promise<void>
  /** Lets go of what the ring may no longer hold. */
  trim(): void
}

export interface FollowerDeps {
  readonly progress: Progress
  readonly framesAfter: FeedCursor['framesAfter']
  readonly reads: FeedReads
  readonly room: RingShare
  readonly log: Logger
  /** Aborted when the feed has ended. */
  readonly signal: AbortSignal
  /** There is something new in the ring. */
  readonly onNew: () => Promise<void>
  /** The pattern has come to mean too many topics. */
  readonly onTooMany: () => void
}

/** After a failure of PostgreSQL. */
export const retryMs = 250

export function createFollower(deps: FollowerDeps): Follower {
  const { progress, framesAfter, room, signal, onNew, onTooMany } = deps
  let ring: Ring | undefined
  let isAdvancing = false

  async function advance(): Promise<void> {
    if (isAdvancing || ring === undefined) return
    isAdvancing = true
    try {
      for (;;) {
        if (progress.targets.size > limits.patternTopicsMax) return onTooMany()
        const ranges = progress.ahead()
        if (ranges.length === 0 || signal.aborted) return
        const found = await readPage(deps, ranges)
        if (found === undefined || signal.aborted) continue
        // An announcement of what is not there: of another database, of another epoch, or made up.
        if (found.length === 0) for (const { topicId, after } of ranges) progress.aimBack(topicId, after)
        ring.append(framesAfter(progress.ends, found))
        trim()
        for (const { topicId, event } of found) progress.reach(topicId, event.seq)
        await onNew()
      }
    } finally {
      isAdvancing = false
    }
  }

  function trim(): void {
    if (ring === undefined || signal.aborted) return
    ring.trim(room.bytesMax)
    room.hold(ring.bytes)
  }

  return {
    get ring() {
      return ring
    },
    beginAfter(id) {
      ring = createRing(id)
    },
    advance,
    trim,
  }
}

async function readPage(
  { reads, log }: FollowerDeps,
  ranges: readonly Range[],
): Promise<readonly RangeEvent[] | undefined> {
  try {
    return await reads.read(ranges)
  } catch (error) {
    log.debug({ err: error }, 'feed could not read')
    await pause(retryMs)
    return undefined
  }
}
