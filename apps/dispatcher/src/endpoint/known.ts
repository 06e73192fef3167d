/**
 * What an endpoint's loop knows of what is to be done, and when to look again. Its states follow from what the last turn said:
 *
 *     given                  there may be more, or not before something is due
 *     given, and came to     there may be more, but it is not asked for at once: a look that finds nothing again and again would
 *     nothing                take all of PostgreSQL's time
 *     given, and there was   what is new is looked at later, the more often in a row nothing of it was for this endpoint: one
 *     nothing                whose filter seldom matches would have a turn for each event that others get
 *     held, disabled         nothing until that is over; then slowly
 *     paused                 nothing until somebody changes it
 */
import type { PushTurn } from '@sekali/store/push-types'
import { dispatcherLimits } from '../limits.ts'
import type { Room } from './slots.ts'

export interface Known {
  /** Whether there may be events that go out for the first time, or again. */
  readonly mayFirst: boolean
  readonly mayAgain: boolean
  /** Milliseconds until there may be something; `undefined`: not by itself. */
  dueInMs(): number | undefined
  /** Something is new, or due, or was changed. */
  onNews(kind: 'first' | 'again'): void
  /** A turn begins that hands out: news from now on are not in what it says. */
  begin(): void
  /** What a turn has said. */
  onTurn(turn: Said, asked: Asked): void
  /** Something is to be settled with the next turn: what has waited for it may go out then. */
  onAnswer(): void
  /** Somebody has changed it: whatever kept it is to be asked anew. */
  forget(): void
}

/** What a turn was to do: outcomes to settle, and what it might hand out of either kind. */
export type Asked = Pick<Room, 'firstMax' | 'againMax'> & { readonly settled: number }

type Said = Pick<PushTurn, 'state' | 'items' | 'moreFirst' | 'moreAgain' | 'heldBack' | 'nextDueInMs'>

export function createKnown(
  now: () => number = performance.now.bind(performance),
  { idleMs, seldomMsMax }: Pick<typeof dispatcherLimits, 'idleMs' | 'seldomMsMax'> = dispatcherLimits,
): Known {
  const news = { first: true, again: true }
  /** Until then nothing is handed out; what is new waits. */
  let quietUntil = 0
  /** The same after a turn that came to nothing, unless an answer makes room for something. */
  let idleUntil = 0
  let dueAt: number | undefined
  /** Turns in a row that found nothing. */
  let inVain = 0
  /** Whether something waits for others to be settled. */
  let waits = false

  const isQuiet = () => now() < Math.max(quietUntil, idleUntil)
  /** What was due is so: it may go out again, or is the end of what kept it. */
  function lookAtClock(): void {
    if (dueAt === undefined || now() < dueAt) return
    dueAt = undefined
    news.again = true
  }

  return {
    get mayFirst() {
      lookAtClock()
      return news.first && !isQuiet()
    },
    get mayAgain() {
      lookAtClock()
      return news.again && !isQuiet()
    },
    dueInMs() {
      const until = isQuiet() ? Math.max(quietUntil, idleUntil) : dueAt
      return until === undefined || until === Number.POSITIVE_INFINITY
        ? undefined
        : Math.max(0, until - now())
    },
    onNews(kind) {
      news[kind] = true
    },
    begin() {
      news.first = false
      news.again = false
      waits = false
    },
    onTurn({ state, items, moreFirst, moreAgain, heldBack, nextDueInMs }, asked) {
      if (state !== 'given') {
        // Whatever there was is there still.
        news.first = true
        news.again = true
        dueAt = undefined
        quietUntil = nextDueInMs === null ? Number.POSITIVE_INFINITY : now() + nextDueInMs + 1
        return
      }
      // Of a kind that was not asked for there may always be more: that is for the next turn, and at once.
      const isMore = (moreFirst && asked.firstMax > 0) || (moreAgain && asked.againMax > 0)
      if (items.length > 0 || asked.settled > 0) inVain = 0
      else if (isMore) idleUntil = now() + idleMs
      else if (asked.firstMax > 0) idleUntil = now() + Math.min(seldomMsMax, 2 ** inVain++)
      news.first ||= moreFirst
      news.again ||= moreAgain
      waits ||= heldBack
      dueAt = nextDueInMs === null ? undefined : now() + nextDueInMs + 1
    },
    onAnswer() {
      idleUntil = 0
      if (!waits) return
      news.first = true
      news.again = true
    },
    forget() {
      quietUntil = 0
      idleUntil = 0
      news.first = true
      news.again = true
    },
  }
}
