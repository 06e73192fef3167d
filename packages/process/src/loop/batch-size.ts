/** Characters that a turn aims to hold in memory. Neither store can limit a read by size, only by count. */
export const turnCharsAim = 8 * 1024 * 1024
/** The size of a name's first turn: with events of 256 KiB each it still fits into memory. */
const firstCount = 64

/**
 * Milliseconds that a turn aims to last, so that other names get their turns. For that a turn shrinks to `slowPartMin` of
 * `eventsMax` at the least: on a slow disk every turn takes long, and smaller ones would only be more of them.
 */
const turnMsAim = 150
const slowPartMin = 1 / 8

/** The factor by which a size grows at most, from one turn to the next. */
export const growthMax = 4

/** What a turn took. */
export interface TurnTaken {
  readonly pieces: number
  /** Events in the pieces, and characters in the events. */
  readonly events: number
  readonly chars: number
  /** How long it took; 0 when it shared that with others, or when its length is to say nothing. */
  readonly ms: number
  /** Whether the next turn may be larger. Not so when this one had no time for more, or left some of its allowance. */
  readonly mayGrow: boolean
}

/**
 * How much of a name, for instance of a topic, a turn takes at once. It is counted in pieces, packs of a stream or events,
 * because a read can be limited by their number alone.
 */
export interface BatchSize<Name extends string> {
  readonly size: (name: Name) => number
  /** Learns from a turn of the name. */
  learn(name: Name, turn: TurnTaken): void
  /** After a turn that failed, perhaps for lack of time: the next takes half as much. */
  halve(name: Name): void
}

/**
 * Sizes turns by what the last ones of each name were like: about `eventsMax` small events, few large ones.
 */
export function createBatchSize<Name extends string>(eventsMax: number): BatchSize<Name> {
  const counts = new Map<Name, number>()
  const count = (name: Name) => counts.get(name) ?? firstCount
  return {
    size: (name) => Math.min(eventsMax, count(name)),
    learn: (name, { pieces, events, chars, ms, mayGrow }) => {
      if (pieces === 0) return
      const inChars = turnCharsAim / Math.max(1, chars)
      const inTime = Math.max(turnMsAim / ms, (slowPartMin * eventsMax) / events)
      const fitting = Math.floor(pieces * Math.min(inChars, inTime, eventsMax / events))
      // Step by step, because the first few events say little about the next. It is no bound: when large events follow
      // small ones, one turn reads as many of them.
      counts.set(name, Math.max(1, Math.min(fitting, count(name) * (mayGrow ? growthMax : 1))))
    },
    halve: (name) => counts.set(name, Math.max(1, count(name) >> 1)),
  }
}
