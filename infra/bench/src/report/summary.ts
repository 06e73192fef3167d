import type { RowResult } from '../heat.ts'
import { type Spread, spreadOf } from '../measure/statistics.ts'
import type { Measure, Row } from '../row.ts'

/** A row in figures: what its rounds came to. */
export interface Summary {
  readonly row: Row
  readonly ours: Spread
  readonly rival: Spread | undefined
  /** Ours divided by the rival's, of the same round. */
  readonly ratio: Spread | undefined
  /** What the row is made of, if its target is the worst part. */
  readonly parts: readonly Part[]
  /** The figure that the target speaks of: the ratio, ours, or the worst part's ratio. */
  readonly figure: Spread
  readonly verdict: Verdict
  /** The largest share of the machine that others took in a round; `null` when not known. */
  readonly foreign: number | null
}

/** One of the things that a side has measured beside each other. */
interface Part {
  readonly name: string
  readonly ours: Spread
  readonly rival: Spread
  readonly ratio: Spread
}

/** What the median came to. `reported`: there is nothing it must reach. */
export type Verdict = 'aim' | 'met' | 'missed' | 'reported'

/** Others may take so much of the machine before a round's figures are doubtful. */
export const foreignMax = 0.1

export function summarize({ row, ours, rival }: RowResult): Summary {
  const values = (measures: readonly Measure[]) => measures.map(({ value }) => value)
  const oursSpread = spreadOf(values(ours))
  const rivalSpread = rival.length === 0 ? undefined : spreadOf(values(rival))
  const ratios = ratiosOf(values(ours), values(rival))
  const ratio = ratios.length === 0 ? undefined : spreadOf(ratios)
  const parts = row.target.of === 'worst part' ? partsOf(ours, rival) : []
  const figure = (row.target.of === 'value' ? undefined : (worstOf(row, parts)?.ratio ?? ratio)) ?? oursSpread
  const shares = [...ours, ...rival].flatMap(({ foreign }) => (foreign === null ? [] : [foreign]))
  return {
    row,
    ours: oursSpread,
    rival: rivalSpread,
    ratio,
    parts,
    figure,
    verdict: judge(row, figure.median),
    foreign: shares.length === 0 ? null : Math.max(...shares),
  }
}

/** Of the same round each. */
const ratiosOf = (ours: readonly number[], rival: readonly number[]): number[] =>
  ours.slice(0, rival.length).map((value, index) => value / (rival[index] ?? Number.NaN))

function partsOf(ours: readonly Measure[], rival: readonly Measure[]): Part[] {
  const names = Object.keys(ours[0]?.also ?? {})
  return names.map((name) => {
    const of = (measures: readonly Measure[]) => measures.map(({ also }) => also?.[name] ?? Number.NaN)
    const [mine, theirs] = [of(ours), of(rival)]
    return {
      name,
      ours: spreadOf(mine),
      rival: spreadOf(theirs),
      ratio: spreadOf(ratiosOf(mine, theirs)),
    }
  })
}

function worstOf({ target }: Row, parts: readonly Part[]): Part | undefined {
  const sorted = [...parts].sort((a, b) => a.ratio.median - b.ratio.median)
  return target.better === 'lower' ? sorted.at(-1) : sorted[0]
}

function judge({ target }: Row, figure: number): Verdict {
  const reaches = (goal: number) => (target.better === 'higher' ? figure >= goal : figure <= goal)
  if (target.aim !== undefined && reaches(target.aim)) return 'aim'
  if (target.must === undefined) return 'reported'
  return reaches(target.must) ? 'met' : 'missed'
}
