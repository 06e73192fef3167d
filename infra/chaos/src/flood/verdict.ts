// What the rounds of a flood come to.
import { percentile } from '../check/abuse-verdict.ts'
import { medianOf } from '../report/median.ts'
import { batchEvents, type Sent } from './streams.ts'

export interface Round {
  /** The p99 of the other topics' batches, in milliseconds: while each topic gets a quarter, and beside the flood. */
  readonly quietMs: number | undefined
  readonly floodMs: number | undefined
  /** What the flood sent, and what of it was taken, in events a second. */
  readonly offered: number
  readonly taken: number
  /**
   * Batches of the others that were refused, or got no certain answer, likewise. Four quarters are all that consumers can take,
   * so there may be some without a flood.
   */
  readonly quietRefused: number
  readonly othersRefused: number
  /** Events that were answered with yes and are not stored, and what /stats says is lost. */
  readonly missing: number
  readonly lost: number
  /** From the flood's end until nothing is in flight and its topic takes events; undefined when that never came. */
  readonly recoveredMs: number | undefined
}

export const p99Of = (sent: readonly Sent[]): number | undefined =>
  percentile(
    sent.flatMap(({ takenMs }) => takenMs),
    0.99,
  )

export const eventsOf = (sent: readonly Sent[], count: (one: Sent) => number): number =>
  sent.reduce((sum, one) => sum + count(one) * batchEvents, 0)

/** Batches that were not answered with yes. */
export const refusalsOf = (sent: readonly Sent[]): number =>
  sent.reduce((sum, one) => sum + one.batches - one.taken.length, 0)

const factorMax = 1.5
const recoveryMsMax = 30_000
/** With less of what was asked for it is no such flood, and says nothing. */
const offeredMin = 2 / 3

const factorOf = ({ quietMs, floodMs }: Round): number | undefined =>
  quietMs === undefined || floodMs === undefined ? undefined : floodMs / quietMs

/** What broke the promise, in words; `offered` is what the flood was to send, in events a second. */
export function complaintsOf(rounds: readonly Round[], offered: number): string[] {
  const complaints: string[] = []
  const factor = medianOf(rounds.map((round) => factorOf(round) ?? Number.POSITIVE_INFINITY))
  if (factor === undefined || factor > factorMax) {
    complaints.push(
      `the others' p99 is ${factor?.toFixed(2)} times as long beside the flood, at most ${factorMax}`,
    )
  }
  for (const [index, round] of rounds.entries()) {
    const { missing, lost, othersRefused, recoveredMs } = round
    const say = (what: string) => complaints.push(`round ${index + 1}: ${what}`)
    if (missing !== 0 || lost !== 0) say(`${missing} accepted events are not stored, ${lost} count as lost`)
    if (othersRefused > 0) say(`${othersRefused} batches of the others were refused`)
    if (recoveredMs === undefined || recoveredMs > recoveryMsMax) {
      say(`recovered after ${inSeconds(recoveredMs)}, at most ${inSeconds(recoveryMsMax)}`)
    }
    if (round.offered < offered * offeredMin) {
      say(`the flood sent ${round.offered.toFixed()} events/s instead of ${offered.toFixed()}: too little`)
    }
  }
  return complaints
}

export const roundsHead =
  '| round | others: p99 before → beside | times | not taken of theirs | flood sent, taken | missing | recovered |\n' +
  '|---:|---:|---:|---:|---:|---:|---:|'

export function describeRound(round: Round, number: number): string {
  const { quietMs, floodMs, quietRefused, othersRefused, offered, taken, missing, lost, recoveredMs } = round
  const times = factorOf(round)?.toFixed(2) ?? '-'
  const p99 = `${inMs(quietMs)} → ${inMs(floodMs)}`
  const flood = `${offered.toFixed()}, ${taken.toFixed()} events/s`
  const refused = `${quietRefused} → ${othersRefused}`
  return `| ${number} | ${p99} | ${times} | ${refused} | ${flood} | ${missing + lost} | ${inSeconds(recoveredMs)} |`
}

const inMs = (ms: number | undefined): string => (ms === undefined ? '-' : `${ms.toFixed()} ms`)
const inSeconds = (ms: number | undefined): string =>
  ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`
