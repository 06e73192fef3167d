/** Characters that a turn aims to hold in memory. Neither store can limit a read by size, only by count. */
export const turnCharsAim = 8 * 1024 * 1024
/** What a name gets of which nothing is known: at 256 KiB each that is still bearable. */
const firstCount = 64

/**
 * Milliseconds that a turn aims to last, so that other names have theirs. What shrinks for that keeps this part of
 * `eventsMax`: where a turn takes long whatever it has, as on a slow disk, small ones would only be more of them.
 */
const turnMsAim = 150
const slowPartMin = 1 / 8

/** A size grows to so many times itself at most. */
export const growthMax = 4

/**
 * How much a turn takes at once of a name, for instance of a topic. In portions, as a read can be limited by
 * those alone: packs of a stream, or events.
 */
export interface BatchSize<Name extends string> {
  readonly size: (name: Name) => number
  /**
   * Learns from a turn how many events its portions had, how many characters they came to, and how long it took if
   * that was all its own doing. The next may be larger, unless this one says nothing of that: there was no time for
   * more, or it did not take what it might have.
   */
  learn(name: Name, portions: number, events: number, chars: number, mayGrow?: boolean, ms?: number): void
  /** After a turn that failed: half as much may fit into what it failed for, its time perhaps. */
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
    learn: (name, portions, events, chars, mayGrow = true, ms = 0) => {
      if (portions === 0) return
      const inChars = turnCharsAim / Math.max(1, chars)
      const inTime = Math.max(turnMsAim / ms, (slowPartMin * eventsMax) / events)
      const fitting = Math.floor(portions * Math.min(inChars, inTime, eventsMax / events))
      // Step by step, because the first few say little. It bounds nothing: when large ones follow small ones,
      // one turn reads as many of them.
      counts.set(name, Math.max(1, Math.min(fitting, count(name) * (mayGrow ? growthMax : 1))))
    },
    halve: (name) => counts.set(name, Math.max(1, count(name) >> 1)),
  }
}
