/**
 * Where a topic stands, and what becomes of that in a turn: how far the position moves, and what Redis has lost.
 *
 * At the end of a stream every entry that was ever added is either accounted for or has vanished from it (XDEL, a trim
 * by somebody else). That count is exact. When Redis loses the stream as a whole (FLUSHALL, DEL, a disk) or its newest
 * entries (a torn tail of the append-only file), what can be counted is what was *seen*: how many entries it had, and
 * which id was the last, when a turn last looked. What came after that look and went unseen is not counted; so the
 * loss is said, and the count of a topic that has had one is a minimum.
 */
import type { TopicName } from '@sekali/core/event'
import { comparePositions, origin, type Position } from '@sekali/core/position'
import type { TurnRead } from './turn.ts'

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
}

/** Before anything of a stream is accounted for. */
export const beginning = { position: origin, accounted: 0, seen: 0, seenId: origin } as const

export interface PlaceAfter {
  readonly position: Position
  readonly accounted: number
  readonly seen: number
  readonly seenId: Position
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
    return { ...given, accounted, lost: unread, loss: given.group === null ? undefined : 'the stream' }
  }
  const { place, entries, atEnd, entriesAdded, lastId } = read
  const isAnew = given.group !== null && given.group !== place.group
  const tail = lostTail(read)
  const position = entries.at(-1)?.position ?? place.position
  const accounted = place.accounted + entries.length
  const vanished = atEnd ? Math.max(0, entriesAdded - accounted) : 0
  return {
    position,
    // Also when it is less: after a lost tail Redis counts from further back.
    accounted: atEnd ? entriesAdded : accounted,
    seen: atEnd ? entriesAdded : Math.max(entriesAdded, accounted),
    seenId: comparePositions(lastId, position) < 0 ? position : lastId,
    lost: vanished + (isAnew ? unread : 0) + (tail ?? 0),
    loss: isAnew ? 'the old stream' : tail === undefined ? undefined : 'the end of the stream',
  }
}

/** How many of the entries that were seen Redis has lost and nobody had accounted for; `undefined` when it lost none. */
function lostTail({ place, entries, atEnd, entriesAdded, lastId }: TurnRead): number | undefined {
  // What was accounted for was seen, whoever wrote it down.
  const isKnown = place.seen >= place.accounted
  const seen = isKnown ? place.seen : place.accounted
  const seenId = isKnown ? place.seenId : place.position
  // Entries with a later id are new since then. Take them off, and what is left is what Redis has kept of the seen;
  // without the end of the stream they cannot be told apart, and it may seem to have kept more.
  const added = atEnd ? entries.filter(({ position }) => comparePositions(position, seenId) > 0).length : 0
  const kept = entriesAdded - added
  if (kept >= seen && comparePositions(lastId, place.position) >= 0) return undefined
  return Math.max(0, seen - Math.max(kept, place.accounted))
}
