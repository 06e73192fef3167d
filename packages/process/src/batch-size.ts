/** Characters that a turn aims to hold in memory. Neither store can limit a read by size, only by count. */
const turnCharsAim = 8 * 1024 * 1024
/** What a name gets whose entries' size is not known: at 256 KiB each that is still bearable. */
const firstCount = 64

/** A size grows to so many times itself at most. */
export const growthMax = 4

/** How many entries a turn takes at once of a name, for instance of a topic. */
export interface BatchSize<Name extends string> {
  readonly size: (name: Name) => number
  /** Learns from a turn how many characters its entries came to. The next may be larger, unless there was no time for it. */
  learn(name: Name, entries: number, chars: number, mayGrow?: boolean): void
  /** After a turn that failed: half as much may fit into what it failed for, its time perhaps. */
  halve(name: Name): void
}

/** Sizes turns by what the last ones of each name were like: up to `countMax` small entries, few large ones. */
export function createBatchSize<Name extends string>(countMax: number): BatchSize<Name> {
  const counts = new Map<Name, number>()
  const count = (name: Name) => counts.get(name) ?? firstCount
  return {
    size: (name) => Math.min(countMax, count(name)),
    learn: (name, entries, chars, mayGrow = true) => {
      if (entries === 0) return
      const fitting = Math.floor(turnCharsAim / Math.max(1, chars / entries))
      // Step by step, because the first few say little. It bounds nothing: when large entries follow small ones, one
      // turn reads `countMax` of them.
      counts.set(name, Math.max(1, Math.min(fitting, count(name) * (mayGrow ? growthMax : 1), countMax)))
    },
    halve: (name) => counts.set(name, Math.max(1, count(name) >> 1)),
  }
}
