import type { RowResult } from './heat.ts'
import type { Measure, Row } from './row.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** A row in figures: what its rounds came to. */
export interface Summary {
  readonly row: Row
  readonly ours: Spread
  readonly rival: Spread | undefined
  /** Ours divided by the rival's, of the same round. */
  readonly ratio: Spread | undefined
  /** The figure that the target speaks of: the ratio, or ours. */
  readonly figure: Spread
  readonly verdict: Verdict
  /** The largest share of the machine that others took in a round; `null` when not known. */
  readonly foreign: number | null
}

/** What the median came to. `reported`: there is nothing it must reach. */
export type Verdict = 'aim' | 'met' | 'missed' | 'reported'

/** Others may take so much of the machine before a round's figures are doubtful. */
export const foreignMax = 0.1

export function summarize({ row, ours, rival }: RowResult): Summary {
  const values = (measures: readonly Measure[]) => measures.map(({ value }) => value)
  const oursSpread = spreadOf(values(ours))
  const rivalSpread = rival.length === 0 ? undefined : spreadOf(values(rival))
  const ratios = ours.flatMap(({ value }, index) => {
    const other = rival[index]
    return other === undefined ? [] : [value / other.value]
  })
  const ratio = ratios.length === 0 ? undefined : spreadOf(ratios)
  const figure = row.target.of === 'ratio' && ratio !== undefined ? ratio : oursSpread
  const shares = [...ours, ...rival].flatMap(({ foreign }) => (foreign === null ? [] : [foreign]))
  return {
    row,
    ours: oursSpread,
    rival: rivalSpread,
    ratio,
    figure,
    verdict: judge(row, figure.median),
    foreign: shares.length === 0 ? null : Math.max(...shares),
  }
}

function judge({ target }: Row, figure: number): Verdict {
  const reaches = (goal: number) => (target.better === 'higher' ? figure >= goal : figure <= goal)
  if (target.aim !== undefined && reaches(target.aim)) return 'aim'
  if (target.must === undefined) return 'reported'
  return reaches(target.must) ? 'met' : 'missed'
}
