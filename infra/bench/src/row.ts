import type { ProcessorTime } from './measure/processor-time.ts'
import type { Bench } from './system/bench.ts'

/** One measurement of one side. */
export interface Measure extends ProcessorTime {
  /** The figure, in its row's unit. */
  readonly value: number
  /** What the clock said, where the figure comes from a clock. */
  readonly seconds?: number
  /** More figures of this measurement that help to read it. */
  readonly also?: Readonly<Record<string, number>>
}

/** One side of a comparison: ours, a rival or a ceiling. */
export interface Side {
  readonly name: string
  /** Gets ready what the clock must not see, warm-up included. */
  readonly open: (bench: Bench) => Promise<Contender>
}

export interface Contender extends AsyncDisposable {
  /** Called once a round, from 1; other rounds mean other events. */
  measure(round: number): Promise<Measure>
}

/** What a row's figure must reach, and what it aims at. */
interface Target {
  /**
   * The figure: ours divided by the rival's, or ours alone; or the worst of the ratios of what both have in `also`, by
   * name.
   */
  readonly of: 'ratio' | 'value' | 'worst part'
  readonly better: 'higher' | 'lower'
  /** At least or at most, as `better` says. */
  readonly must?: number
  readonly aim?: number
}

/** A line of the table. Rows that have the same `ours` are measured together, ours once a round. */
export interface Row {
  readonly name: string
  /** What is measured, in words. */
  readonly what: string
  /** Against what, in words. */
  readonly against: string
  readonly unit: string
  readonly ours: Side
  readonly rival?: Side
  readonly target: Target
  readonly rounds: number
  /** Why it cannot be measured on this machine, if it cannot. */
  readonly lacks?: () => string | undefined
  /**
   * How often the sides are started anew. Of two processes of one program one can be a fifth faster all its life, by what
   * the engine compiled first: where both sides are Sekali, one start of each says little.
   */
  readonly openings?: number
  /** Rows that name the same are measured one after the other, and find the databases that the first has filled. */
  readonly data?: string
  /** It takes an hour and tens of gigabytes: only `--large` measures it. */
  readonly large?: true
}
