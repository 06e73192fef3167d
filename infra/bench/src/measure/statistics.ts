/** What is left of several rounds: the one in the middle, and how far the others were from it. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Throws when there is nothing to sum up. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const [min] = sorted
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) throw new RangeError('no values')
  const upper = sorted[sorted.length >> 1] ?? max
  const lower = sorted[(sorted.length - 1) >> 1] ?? min
  return { median: (lower + upper) / 2, min, max }
}

/** The value that `share` of the values do not exceed, by nearest rank. Throws when there are none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('no values')
  return value
}
