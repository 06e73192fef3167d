/**
 * Values of an interval each, over the last so many intervals, under names. All of them have the same intervals, which are
 * counted from 0. What is not known is NaN in here, in four bytes like any other value, and null outside.
 */
export interface Grid {
  /** Intervals up to this one are over. What nobody sets of them is not known. */
  advance(interval: number): void
  /** What was in each of the last `intervals` that are over. */
  set(name: string, intervals: number, value: number | null): void
  /** Forgets names. */
  keep(isKept: (name: string) => boolean): void
  readonly names: Iterable<string>
  readonly size: number
  /** The first interval that is kept, and the one that begins now; both are the same while none is over. */
  bounds(): { readonly from: number; readonly to: number }
  /** Of the intervals that are kept. */
  values(name: string): (number | null)[]
}

/** Of `namesMax` names at most: others are not kept. */
export function createGrid(intervalsMax: number, namesMax: number): Grid {
  const rings = new Map<string, Float32Array>()
  let to = 0

  function ringOf(name: string): Float32Array | undefined {
    const known = rings.get(name)
    if (known !== undefined || rings.size >= namesMax) return known
    const ring = new Float32Array(intervalsMax).fill(Number.NaN)
    rings.set(name, ring)
    return ring
  }

  const from = () => Math.max(0, to - intervalsMax)

  return {
    advance(interval) {
      const first = Math.max(to, interval - intervalsMax)
      for (const ring of rings.values()) {
        for (let one = first; one < interval; one++) ring[one % intervalsMax] = Number.NaN
      }
      to = Math.max(to, interval)
    },
    set(name, intervals, value) {
      const ring = value === null ? rings.get(name) : ringOf(name)
      if (ring === undefined) return
      for (let one = Math.max(from(), to - intervals); one < to; one++)
        ring[one % intervalsMax] = value ?? Number.NaN
    },
    keep(isKept) {
      for (const name of rings.keys()) if (!isKept(name)) rings.delete(name)
    },
    names: { [Symbol.iterator]: () => rings.keys() },
    get size() {
      return rings.size
    },
    bounds: () => ({ from: from(), to }),
    values(name) {
      const ring = rings.get(name)
      return Array.from({ length: to - from() }, (_, at) => {
        const value = ring?.[(from() + at) % intervalsMax] ?? Number.NaN
        return Number.isNaN(value) ? null : rounded(value)
      })
    },
  }
}

/** To a thousandth; of large ones to what four bytes hold. */
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000
