import { figureNames } from '@sekali/core/figures'
import { type Balance, type Line, n, titleOf } from './balance/balance.ts'
import type { Options } from './options.ts'

export interface Result {
  readonly options: Options
  readonly balance: Balance
  readonly retries: number
  /** From the first request until its last answer. */
  readonly publishSeconds: number
  /** This process's own processor time meanwhile: near the clock's, and it is the publisher that limits the rate. */
  readonly publishCpuSeconds: number
  /** What was not accounted for yet when the last answer had come; `null` when that is not known. */
  readonly inFlightThen: number | null
  /** From the first request until all is accounted for. */
  readonly seconds: number
}

/** The lines a person reads. */
export function resultText(result: Result): string {
  const { balance, retries, publishSeconds, publishCpuSeconds, inFlightThen, seconds } = result
  const { sent } = balance.total
  const behind =
    inFlightThen === null
      ? ''
      : `; when its last request was answered, ${n(inFlightThen)} events were not stored yet`
  return [
    ...table(balance),
    '',
    `${seconds.toFixed(1)} s end to end, ${n(sent / seconds)} events/s · published in ` +
      `${publishSeconds.toFixed(1)} s, ${n(sent / publishSeconds)} requests/s · ${n(retries)} ${retries === 1 ? 'retry' : 'retries'}`,
    `the publisher was busy for ${Math.round((100 * publishCpuSeconds) / publishSeconds)} % of a core${behind}`,
    'the table is what /stats has grown by since the start: events that others published meanwhile are in it, too',
    ...balance.problems.map((problem) => `off: ${problem}`),
    verdict(balance),
  ].join('\n')
}

/** One object on one line, for programs. */
export function resultJson(result: Result): string {
  const { options, balance, retries, publishSeconds, publishCpuSeconds, inFlightThen, seconds } = result
  const { topic: _, sent, unique, ...total } = balance.total
  return JSON.stringify({
    seed: options.seed,
    events: options.events,
    sent,
    duplicates_sent: sent - unique,
    ...total,
    balanced: balance.problems.length === 0,
    replayed: balance.replayed,
    seconds: rounded(seconds),
    requests_per_second: rounded(sent / publishSeconds),
    events_per_second: rounded(sent / seconds),
    publisher_cores: rounded(publishCpuSeconds / publishSeconds),
    in_flight_when_published: inFlightThen,
    retries,
    problems: balance.problems,
    topics: balance.topics,
  })
}

function verdict({ total, problems, replayed }: Balance): string {
  const [accepted, ...outcomes] = figureNames.map((name) => `${titleOf(name)} ${n(total[name])}`)
  const equation = `${accepted} = ${outcomes.join(' + ')}`
  if (problems.length > 0) return `does not balance: ${equation.replace('=', 'against')}`
  // An event that an earlier run of the seed has stored is a duplicate now, and rightly so.
  return `balanced: ${equation}${replayed > 0 ? ` (an earlier run of this seed stored ${n(replayed)})` : ''}`
}

function table({ topics, total }: Balance): string[] {
  const head = ['', 'sent', ...figureNames.map(titleOf)]
  const rows = [...topics, total].map((line: Line) => [
    line.topic,
    n(line.sent),
    ...figureNames.map((name) => n(line[name])),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  return [head, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
