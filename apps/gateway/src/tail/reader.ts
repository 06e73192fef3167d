/**
 * Brings one client from where it begins to the newest event and keeps it there.
 *
 * As long as the feed's ring has what follows the client's id, the ring's own bytes are written; otherwise history is
 * read, page by page, up to where the feed is. Both move the same id, so there is no seam between the two.
 */
import type { Reader } from './feed-readers.ts'
import { catchUp, type HistoryDeps } from './history.ts'

export interface TailReader extends Reader {
  /** Writes something if nothing was written for a while, so that both ends notice a dead connection. */
  beat(now: number): void
}

export function createTailReader(deps: HistoryDeps): TailReader {
  const { feed, writer } = deps
  /** The ordinal of the next event, as long as the ring has it. */
  let ordinal: number | undefined
  let isInHistory = false

  function pump(): void {
    const { ring } = feed
    while (!isInHistory && !writer.isOver() && !writer.isFull()) {
      ordinal ??= ring?.after(writer.id)
      if (ring === undefined || ordinal === undefined || ring.isGone(ordinal)) {
        goThroughHistory()
        return
      }
      const segment = ring.segmentWith(ordinal)
      if (segment === undefined) return
      const index = ordinal - segment.first
      ordinal = segment.first + segment.ids.length
      writer.writeSegment(segment, index)
    }
  }

  function goThroughHistory(): void {
    ordinal = undefined
    isInHistory = true
    void catchUp(deps).finally(() => {
      isInHistory = false
      pump()
    })
  }

  writer.outgoing.on('drain', pump)
  return {
    pump,
    beat: writer.beat,
    end(why) {
      if (why !== undefined) writer.say(why)
      writer.end()
    },
  }
}
