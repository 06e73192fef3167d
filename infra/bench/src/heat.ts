import type { Contender, Measure, Row, Side } from './row.ts'
import type { Bench } from './system/bench.ts'

/** A row with what its sides measured, round by round. */
export interface RowResult {
  readonly row: Row
  readonly ours: readonly Measure[]
  readonly rival: readonly Measure[]
}

export interface HeatOptions {
  /** Instead of the rows' own number. */
  readonly rounds: number | undefined
  readonly onMeasure: (side: string, round: number, measure: Measure) => void
}

/** Rows that use the same data: they come one after the other, wherever they are in the table. */
export const stagesOf = (rows: readonly Row[]): Row[][] => [
  ...Map.groupBy(rows, ({ data, ours }) => data ?? ours).values(),
]

/** Rows that share our side are one heat: their rivals take turns with one measurement of ours. */
export const heatsOf = (rows: readonly Row[]): Row[][] => [...Map.groupBy(rows, ({ ours }) => ours).values()]

/**
 * Measures the rows of a heat round by round, each side once a round, so that whatever else changes on the machine
 * meets all of them. Who begins alternates, so one side comes twice in a row, and is warm the second time: another one in
 * each opening. Where rows ask for several openings, the rounds are shared among them.
 */
export async function runHeat(
  bench: Bench,
  rows: readonly Row[],
  options: HeatOptions,
): Promise<RowResult[]> {
  const sides = [
    ...new Set(rows.flatMap(({ ours, rival }) => (rival === undefined ? [ours] : [ours, rival]))),
  ]
  const measures = new Map<Side, Measure[]>(sides.map((side) => [side, []]))
  // Without a rival there is nothing to take turns with, and a peak cannot be measured twice.
  const own = Math.max(...rows.map((row) => row.rounds))
  const rounds = sides.length === 1 ? own : (options.rounds ?? own)
  const openings = Math.min(rounds, Math.max(...rows.map((row) => row.openings ?? 1)))
  const roundsOf = (opening: number) => Math.floor((rounds * opening) / openings)
  for (let opening = 1; opening <= openings; opening += 1) {
    await using opened = await openAll(bench, sides)
    for (let round = roundsOf(opening - 1) + 1; round <= roundsOf(opening); round += 1) {
      for (const side of (round + opening) % 2 === 0 ? sides : sides.toReversed()) {
        bench.signal.throwIfAborted()
        const measure = await opened.contenderOf(side).measure(round)
        measures.get(side)?.push(measure)
        options.onMeasure(side.name, round, measure)
      }
    }
  }
  return rows.map((row) => ({
    row,
    ours: measures.get(row.ours) ?? [],
    rival: row.rival === undefined ? [] : (measures.get(row.rival) ?? []),
  }))
}

/** At the same time, which saves minutes: nothing is measured before all are ready. */
async function openAll(bench: Bench, sides: readonly Side[]) {
  await using parts = new AsyncDisposableStack()
  const contenders = new Map<Side, Contender>()
  const openings = await Promise.allSettled(
    sides.map(async (side) => {
      contenders.set(side, parts.use(await side.open(bench)))
    }),
  )
  for (const opening of openings) if (opening.status === 'rejected') throw opening.reason
  const opened = parts.move()
  return {
    contenderOf: (side: Side) => contenders.get(side) as Contender,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
