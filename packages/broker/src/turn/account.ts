/**
 * What becomes of a topic's account in a turn: how far the position moves, and what Redis has lost.
 *
 * At the end of a stream every entry that was ever added is either accounted for or has vanished from it: XDEL, a trim
 * by somebody else, a torn end of the append-only file (loss/vouch.ts sees to it that what went with that is still counted as
 * added). That count is exact. When Redis loses the stream as a whole (FLUSHALL, DEL, a disk), what can be counted is
 * what was *seen*: how many entries it had when a turn last looked. What was added after that look is not counted. So
 * the loss is reported, and the count of a topic that has had one is a minimum.
 */
import type { Account, AccountAfter } from '@sekali/core/account'
import { comparePositions, type Position } from '@sekali/core/position'
import type { Entry } from '../redis/entry.ts'
import type { Memories } from './remembered.ts'

/** What showed that entries had been delivered and not accounted for. */
export const reclaimCauses = ['left_pending', 'delivered_to_nobody', 'skipped'] as const
export type ReclaimCause = (typeof reclaimCauses)[number]

/** What a turn has read of a stream. */
export interface TurnRead {
  /** Where the read began: the account given, or the beginning of a new incarnation. */
  readonly account: OpenAccount
  readonly entries: readonly Entry[]
  /** The ids of the packs in which they came, to be acknowledged. */
  readonly packs: readonly string[]
  /** Whether the stream holds nothing after the last of `entries`. */
  readonly atEnd: boolean
  /** How many entries were ever added to this incarnation. */
  readonly entriesAdded: number
  /** The id that Redis gave out last in this stream, still there or not. */
  readonly lastId: Position
  /** The first pack that the stream still has; `undefined` when it has none. */
  readonly firstId: Position | undefined
  /** The last pack that somebody deleted (XDEL): a trim is none. */
  readonly deletedId: Position
  /** The history of Redis's data in which it was read. */
  readonly history: string
  /** What Redis remembers of the topic's log. */
  readonly memories: Memories
  /** Whether the stream was found to have lost its end. */
  readonly isTorn: boolean
  /** Whether the read had to reclaim, and if so why. */
  readonly reclaimed: ReclaimCause | undefined
}

/** The account of a stream that is there: its group is known. */
export type OpenAccount = Account & { readonly group: string }

export interface Settlement extends AccountAfter {
  /** How many entries are known to have gone from Redis before they were accounted for. */
  readonly lost: number
  /** What Redis was found to have lost, beyond single entries; more may have been in it than is known. */
  readonly loss: 'the stream' | 'the old stream' | 'the end of the stream' | undefined
}

/** The account once `read` is accounted for; `undefined` stands for a topic that has no stream. */
export function accountAfter(given: Account, read: TurnRead | undefined): Settlement {
  const unread = Math.max(0, given.seen - given.accounted)
  if (read === undefined) {
    // `history: null` marks the loss as reported, so that others, who find the stream gone too, do not report it again.
    // A stream that is made anew and gone again before any turn stays unreported until a turn reads its successor.
    const loss = given.history === null ? undefined : 'the stream'
    const { position, seen, seenId } = given
    return { position, accounted: given.accounted + unread, seen, seenId, history: null, lost: unread, loss }
  }
  const { account, entries, atEnd, entriesAdded, lastId, isTorn, history } = read
  const isAnew = given.group !== null && given.group !== account.group && !given.retired
  const position = entries.at(-1)?.position ?? account.position
  const passed = account.accounted + entries.length
  const vanished = atEnd ? Math.max(0, entriesAdded - passed) : 0
  // An operator's XADD of a pack adds 1 to entries-added, not the number of its entries. Never account for more than Redis
  // has counted.
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
