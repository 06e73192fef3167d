import type { StreamLoad } from '@sekali/broker/loads'
import type { Accounted } from '@sekali/store/accounted'
import type { PressureLimits } from './limits.ts'

export type Bounds = Pick<PressureLimits, 'eventsMax' | 'bytesMax'>

/** How much of something: events, and bytes of Redis's memory. */
export interface Amount {
  events: number
  bytes: number
}

/** In flight of a topic, as far as this gateway knows. */
export interface Load {
  /** At the last look. */
  readonly known: Amount
  /** Taken by this gateway since that look began. */
  readonly taken: Amount
  /** When so much is taken, it is time to look. */
  readonly due: Amount
  /** What PostgreSQL said last; null if it has never answered. */
  account: Accounted | null
  /** Entries that the stream had at the first look, for as long as PostgreSQL has never answered. */
  addedAtFirst: number | null
}

/** What a look has found. */
export interface Found {
  /** Undefined if there is none. */
  readonly stream: StreamLoad | undefined
  /** About how many of its bytes are stored, and kept for a time. */
  readonly keptBytes: number
  /** Undefined if PostgreSQL has not answered, and null if it has no such topic. */
  readonly account: Accounted | null | undefined
}

/** Looks at a topic, while it goes from empty to full. */
const looksPerBound = 64

const none = (): Amount => ({ events: 0, bytes: 0 })

/** A look is due as soon as anything is taken. */
export const newLoad = (): Load => ({
  known: none(),
  taken: none(),
  due: none(),
  account: null,
  addedAtFirst: null,
})

export const isDue = ({ taken, due }: Load): boolean => taken.events >= due.events || taken.bytes >= due.bytes

/** How full the topic is, as far as this gateway knows: 1 is at a bound. */
export const fillOf = ({ known, taken }: Load, bounds: Bounds): number =>
  shareOf({ events: known.events + taken.events, bytes: known.bytes + taken.bytes }, bounds)

/**
 * How full the last look has found it. What is taken while Redis is asked may be in what Redis says, and count twice until the
 * next look.
 */
export const foundFillOf = ({ known }: Load, bounds: Bounds): number => shareOf(known, bounds)

const shareOf = ({ events, bytes }: Amount, { eventsMax, bytesMax }: Bounds): number =>
  Math.max(events / eventsMax, bytes / bytesMax)

/** A topic that is found fuller is looked at again, though nothing comes: consumers drain it, and none of that would be known. */
const watchedAbove = 1 / 4

/** Whether the last look found so much that what it found must not grow old. */
export const isWatched = (load: Load, bounds: Bounds): boolean => foundFillOf(load, bounds) > watchedAbove

/** Notes what a look has found; `before` is what had been taken when it began. */
export function learn(
  load: Load,
  before: Readonly<Amount>,
  { stream, keptBytes, account }: Found,
  bounds: Bounds,
): void {
  const { known, taken, due } = load
  if (account !== undefined) load.account = account ?? { group: null, accounted: 0 }
  known.events = inFlightOf(load, stream) ?? known.events
  // What is left of a stream that is drained is not in flight.
  if (known.events === 0) known.bytes = 0
  else if (stream !== undefined)
    known.bytes = stream.bytes === null ? known.bytes : Math.max(0, stream.bytes - keptBytes)
  taken.events -= before.events
  taken.bytes -= before.bytes
  due.events = stepOf(bounds.eventsMax, known.events)
  due.bytes = stepOf(bounds.bytesMax, known.bytes)
}

/** How much is taken until the next look: a part of the bound, and no more than is missing. */
const stepOf = (max: number, known: number): number => Math.min(max / looksPerBound, Math.max(0, max - known))

/** Entries that are added and not accounted for; null if that cannot be told. As figures.ts has it for `/stats`. */
function inFlightOf(load: Load, stream: StreamLoad | undefined): number | null {
  if (stream === undefined) return 0
  const { entriesAdded, group } = stream
  if (entriesAdded === null) return null
  if (load.account === null) {
    load.addedAtFirst ??= entriesAdded
    return Math.max(0, entriesAdded - load.addedAtFirst)
  }
  const isKnown = group === null || group === load.account.group
  return Math.max(0, entriesAdded - (isKnown ? load.account.accounted : 0))
}
