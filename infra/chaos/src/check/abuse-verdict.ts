/**
 * Whether others noticed while one client took all it could: the bounds of issue and docs, one small function.
 */

/** What an ordinary client does: it publishes, sometimes waits for the receipt, reads, and follows a tail. */
export const operations = ['publish', 'wait', 'read', 'tail'] as const
export type Operation = (typeof operations)[number]

/** One operation of the ordinary client. Times are by the wall clock, in milliseconds. */
export interface Sample {
  readonly operation: Operation
  /** When it was due, not when it went out: who is kept waiting must not thereby ask less. */
  readonly at: number
  /** Until it was answered, or given up. */
  readonly ms: number
  /** Why it was not done, such as `503`. */
  readonly refusal?: string | undefined
}

export type Latencies = Readonly<Record<Operation, number | undefined>>

/** What came of one abuse. */
export interface AbuseFigures {
  readonly fault: string
  /** The p99 of each operation before it, and during it. */
  readonly quiet: Latencies
  /** Undefined when nothing is promised meanwhile. */
  readonly abused: Latencies | undefined
  /** Of the ordinary client's operations during it. */
  readonly count: number
  /** How often the ordinary client was refused, by reason. */
  readonly refused: Readonly<Record<string, number>>
  /** The gateway's greatest resident set. */
  readonly rssKb: number
  /** From its end until every operation was ordinary and nothing in flight; undefined when that never came. */
  readonly backMs: number | undefined
  /** What was not yet back when it was looked at last, in words. */
  readonly left: string
  /** What the attackers were answered: a status, or how a connection ended. */
  readonly answers: Readonly<Record<string, number>>
  /** Hundredths of a core that Redis needs for topics that are idle; undefined where that was not measured. */
  readonly idleCpuPercent?: number | undefined
}

const quietFactorMax = 5
const latencyMsFree = 250
const rssKbMax = 448 * 1024
export const backMsMax = 5_000
const idleCpuPercentMax = 1

/** What an operation may take at the most. */
export const boundMs = (quietMs = 0): number => Math.max(quietFactorMax * quietMs, latencyMsFree)

/** The value that `share` of the values do not exceed, by nearest rank; undefined of none. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}

/** The p99 of each operation that was due from `from` until `until`. */
export function latenciesOf(samples: readonly Sample[], from: number, until: number): Latencies {
  const p99 = (operation: Operation) => {
    const due = samples.filter((one) => one.operation === operation && one.at >= from && one.at < until)
    return percentile(
      due.map(({ ms }) => ms),
      0.99,
    )
  }
  return { publish: p99('publish'), wait: p99('wait'), read: p99('read'), tail: p99('tail') }
}

export function countsOf(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}

/** What of it broke the promise, in words. */
export function complaintsOf(figures: AbuseFigures): string[] {
  const { quiet, abused, refused, rssKb, backMs, left, answers, idleCpuPercent } = figures
  const complaints: string[] = []
  for (const operation of abused === undefined ? [] : operations) {
    const [was, is] = [quiet[operation], abused?.[operation]]
    const max = boundMs(was)
    if (is === undefined) complaints.push(`no ${operation} of others was seen`)
    else if (is > max) complaints.push(`p99 of ${operation} ${inMs(is)}, at most ${inMs(max)}`)
  }
  const refusals = inWords(refused)
  if (refusals !== '') complaints.push(`others were refused: ${refusals}`)
  if (rssKb > rssKbMax) complaints.push(`the gateway had ${inMb(rssKb)}, at most ${inMb(rssKbMax)}`)
  if (backMs === undefined) complaints.push(`not back: ${left}`)
  else if (backMs > backMsMax) complaints.push(`back after ${inMs(backMs)}, at most ${inMs(backMsMax)}`)
  // Too much of something is 429 or 503: whatever else the server fails with is a fault of its own.
  const faults = Object.keys(answers).filter((status) => /^5\d\d$/.test(status) && status !== '503')
  for (const status of faults) complaints.push(`${answers[status]} requests were answered ${status}`)
  if (idleCpuPercent !== undefined && idleCpuPercent > idleCpuPercentMax) {
    complaints.push(`idle topics cost Redis ${idleCpuPercent.toFixed(1)} % of a core`)
  }
  return complaints.map((complaint) => `${figures.fault}: ${complaint}`)
}

/** The figures of one abuse, for a line of the report. */
export function describeAbuse({
  fault,
  quiet,
  abused,
  rssKb,
  backMs,
  answers,
  idleCpuPercent,
}: AbuseFigures): string {
  const latencies = operations.map(
    (operation) => `${operation} ${inMs(quiet[operation])} -> ${inMs(abused?.[operation])}`,
  )
  const idle = idleCpuPercent === undefined ? '' : `, idle topics ${idleCpuPercent.toFixed(1)} % of a core`
  const back = backMs === undefined ? 'not back' : `back after ${inMs(backMs)}`
  return `${fault}: p99 ${latencies.join(', ')}; ${inMb(rssKb)}; ${back}${idle}; attackers: ${inWords(answers)}`
}

const inMs = (ms: number | undefined): string =>
  ms === undefined ? '-' : ms < 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed()} ms`
const inMb = (kb: number): string => `${(kb / 1024).toFixed()} MB`
const inWords = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')
