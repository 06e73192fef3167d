/**
 * Where a topic stands, and what becomes of that in a turn: how far the position moves, and what Redis has lost.
 *
 * At the end of a stream every entry that was ever added is either accounted for or has vanished from it: XDEL, a trim
 * by somebody else, a torn end of the append-only file (vouch.ts sees to it that what went with that is still counted as
 * added). That count is exact. When Redis loses the stream as a whole (FLUSHALL, DEL, a disk), what can be counted is
 * what was *seen*: how many entries it had when a turn last looked. What came after that look and went unseen is not
 * counted; so the loss is said, and the count of a topic that has had one is a minimum.
 */
import type { TopicName } from '@sekali/core/event'
import { comparePositions, origin, type Position } from '@sekali/core/position'
import type { TurnRead } from './read.ts'

/** Where a topic stands, as the store remembers it. */
export interface Place {
  readonly topic: TopicName
  /** The stream's incarnation, or `null` when the topic has had no turn yet. */
  readonly group: string | null
  readonly position: Position
  /** How many entries of this incarnation have been accounted for. */
  readonly accounted: number
  /** How many entries had ever been added to this incarnation when a turn last looked. */
  readonly seen: number
  /** The id that Redis had given out last at that moment. */
  readonly seenId: Position
  /** The history in which it looked (see epoch.ts); `null` when nobody knows, or the stream is gone. */
  readonly history: string | null
  /** Whether the stream was deleted because it was drained and quiet; see retire.ts. */
  readonly retired: boolean
}

/** Before anything of a stream is accounted for. */
export const beginning = {
  position: origin,
  accounted: 0,
  seen: 0,
  seenId: origin,
  history: null,
  retired: false,
} as const

export interface PlaceAfter {
  readonly position: Position
  readonly accounted: number
  readonly seen: number
  readonly seenId: Position
  readonly history: string | null
  /** How many entries are known to have gone from Redis before they were accounted for. */
  readonly lost: number
  /** What Redis was found to have lost, beyond single entries; there may have been more in it than is known. */
  readonly loss: 'the stream' | 'the old stream' | 'the end of the stream' | undefined
}

/** The place once `read` is accounted for; `undefined` stands for a topic that has no stream. */
export function placeAfter(given: Place, read: TurnRead | undefined): PlaceAfter {
  const unread = Math.max(0, given.seen - given.accounted)
  if (read === undefined) {
    const accounted = given.accounted + unread
    // It has no history any more, which also says that this has been said: others find it gone, too. Of one
    // that is made anew and goes before anybody looks, it is said with the next one, of another group.
    const loss = given.history === null ? undefined : 'the stream'
    return { ...given, accounted, history: null, lost: unread, loss }
  }
  const { place, entries, atEnd, entriesAdded, lastId, isTorn, history } = read
  const isAnew = given.group !== null && given.group !== place.group && !given.retired
  const position = entries.at(-1)?.position ?? place.position
  const passed = place.accounted + entries.length
  const vanished = atEnd ? Math.max(0, entriesAdded - passed) : 0
  // Whoever puts a pack into the stream by hand makes Redis count one entry: what was never added is not
  // accounted for.
  const accounted = Math.min(passed + vanished, entriesAdded)
  return {
    position,
    accounted,
    seen: Math.max(entriesAdded, accounted),
    seenId: comparePositions(lastId, position) < 0 ? position : lastId,
    history,
    lost: vanished + (isAnew ? unread : 0),
    loss: isAnew ? 'the old stream' : isTorn ? 'the end of the stream' : undefined,
  }
}
