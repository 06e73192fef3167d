/**
 * The rows of a list of events, newest first. What comes while somebody reads further down waits, so that nothing moves
 * under the reader. At most `rowsMax` are kept of either.
 */
import type { LogEvent } from '../text/slices.ts'

export const rowsMax = 1_000

export interface Rows {
  readonly shown: readonly LogEvent[]
  /** Has come since the reader scrolled away. */
  readonly waiting: readonly LogEvent[]
  /** How many of those that came later than `shown` were not kept. */
  readonly passed: number
}

export const noRows: Rows = { shown: [], waiting: [], passed: 0 }

export const keyOf = ({ topic, seq }: LogEvent): string => `${topic} ${seq}`

/** A log that was restored from a backup, so that rows which are known may be of events that are gone. */
export interface Restored {
  readonly topic: string
  readonly epoch: number
  /** The last seq that is as it was, if that is known. */
  readonly forkedAt?: number
}

/** Whether events that came are of a later epoch than the rows of their topic: their seqs may be those of others there. */
export function restoredSince({ shown, waiting }: Rows, came: readonly LogEvent[]): Restored | undefined {
  const epochs = new Map([...waiting, ...shown].map(({ topic, epoch = 1 }) => [topic, epoch]))
  const later = came.find(({ topic, epoch = 1 }) => epoch > (epochs.get(topic) ?? epoch))
  return later && { topic: later.topic, epoch: later.epoch ?? 1 }
}

/** Takes events that came live, in the order in which they came. With `isHeld` they wait. */
export function addLive(rows: Rows, came: readonly LogEvent[], isHeld: boolean): Rows {
  const known = new Set([...rows.shown, ...rows.waiting].map(keyOf))
  const fresh = came.filter((event) => !known.has(keyOf(event))).reverse()
  if (fresh.length === 0) return isHeld || rows.waiting.length === 0 ? rows : release(rows)
  const waiting = [...fresh, ...rows.waiting]
  const held = {
    ...rows,
    waiting: waiting.slice(0, rowsMax),
    passed: rows.passed + Math.max(0, waiting.length - rowsMax),
  }
  return isHeld ? held : release(held)
}

/** Shows what waited. If some of it was not kept, what was shown before goes, too: a list must not hide a gap. */
export function release({ shown, waiting, passed }: Rows): Rows {
  const before = passed > 0 ? [] : shown
  return { shown: [...waiting, ...before].slice(0, rowsMax), waiting: [], passed: 0 }
}

/**
 * Takes the newest page, which was read after the tail had begun. What came by the tail and is not in it is newer; `stale`
 * rows, from before the page was hidden, are older, and go if the page does not reach them.
 */
export function addNewest(
  rows: Rows,
  page: readonly LogEvent[],
  stale: readonly LogEvent[],
  isHeld: boolean,
): Rows {
  const [inPage, old] = [keysOf(page), keysOf(stale)]
  const isJoined = joins(page, stale)
  const came = [...rows.waiting, ...rows.shown].filter(
    (event) => !inPage.has(keyOf(event)) && !old.has(keyOf(event)),
  )
  if (isHeld && stale.length > 0) {
    const waiting = [...came, ...page.filter((event) => !old.has(keyOf(event)))]
    return { ...rows, waiting: waiting.slice(0, rowsMax), passed: rows.passed + (isJoined ? 0 : 1) }
  }
  const older = isJoined ? stale.filter((event) => !inPage.has(keyOf(event))) : []
  return { shown: [...came, ...page, ...older].slice(0, rowsMax), waiting: [], passed: 0 }
}

/** Whether nothing can be between a page and the rows that were there before it. */
export function joins(page: readonly LogEvent[], stale: readonly LogEvent[]): boolean {
  const old = keysOf(stale)
  return stale.length === 0 || page.some((event) => old.has(keyOf(event)))
}

const keysOf = (events: readonly LogEvent[]): ReadonlySet<string> => new Set(events.map(keyOf))

/** Takes an older page behind the rows that are shown. */
export function addOlder(rows: Rows, page: readonly LogEvent[]): Rows {
  const known = new Set(rows.shown.map(keyOf))
  const older = page.filter((event) => !known.has(keyOf(event)))
  return { ...rows, shown: [...rows.shown, ...older].slice(0, rowsMax) }
}

/** How many came that are not shown. */
export const waitingCount = ({ waiting, passed }: Rows): number => waiting.length + passed
