// What a run tells: a table of the faults, a verdict for every promise, and how to see it again.
import { complaintsOf, describeAbuse } from '../check/abuse-verdict.ts'
import type { FaultFigures } from '../inject/inject.ts'
import type { Outcome } from '../run.ts'
import { medianOf } from './median.ts'

export interface RunName {
  readonly seed: number
  readonly minutes: number
  readonly times?: number | undefined
  readonly consumers: number
  readonly rate: number
  readonly target: string
  /** As they were asked for; empty means all. */
  readonly faults: readonly string[]
}

export const isKept = ({ verdicts }: Outcome): boolean =>
  verdicts.every(({ violation }) => violation === undefined)

function replayOf({ seed, minutes, times, consumers, rate, target, faults }: RunName): string {
  const more = [
    times === undefined ? '' : ` --times ${times}`,
    target === 'local' ? '' : ` --target ${target}`,
    faults.length === 0 ? '' : ` --faults ${faults.join(',')}`,
  ]
  return `npm run chaos -- --minutes ${minutes} --seed ${seed} --consumers ${consumers} --rate ${rate}${more.join('')}`
}

export function reportText(outcome: Outcome, name: RunName): string {
  const { ok, failed, indeterminate } = outcome.operations
  const injections = outcome.faults.reduce((sum, { times }) => sum + times, 0)
  const verdicts = outcome.verdicts.map(({ promise, violation, checked }) =>
    violation === undefined ? `  kept    ${promise} (${checked})` : `  BROKEN  ${promise}: ${violation}`,
  )
  const broken = outcome.verdicts.filter(({ violation }) => violation !== undefined).length
  return [
    table(outcome.faults),
    '',
    `${n(ok)} operations ok, ${n(failed)} failed, ${n(indeterminate)} indeterminate; ${n(outcome.events)} events stored; ` +
      `${injections} faults, ${n(outcome.kills)} processes killed in ${outcome.seconds.toFixed()} s; drained after ${seconds(outcome.drainMs)}`,
    '',
    ...outcome.abuses.map(describeAbuse),
    ...outcome.abuses.flatMap(complaintsOf).map((complaint) => `  BROKEN  ${complaint}`),
    ...(outcome.abuses.length > 0 ? [''] : []),
    ...verdicts,
    '',
    broken === 0 ? 'All promises were kept.' : `${broken} promises were BROKEN.`,
    `Again: ${replayOf(name)}`,
  ].join('\n')
}

const columns = ['fault', 'times', 'ok', 'failed', 'indeterminate', 'back: median', 'worst']

function table(faults: readonly FaultFigures[]): string {
  const rows = faults.map(({ name, times, operations, recoveries }) => [
    name,
    n(times),
    n(operations.ok),
    n(operations.failed),
    n(operations.indeterminate),
    seconds(medianOf(recoveries)),
    seconds(recoveries.length === 0 ? undefined : Math.max(...recoveries)),
  ])
  const widths = columns.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  return [columns, ...rows]
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  '),
    )
    .join('\n')
}

const seconds = (ms: number | undefined): string =>
  ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`
const n = (value: number): string => value.toLocaleString('en-US')

/** What a run leaves as JSON. */
export interface RunReport extends Omit<RunName, 'faults'>, Outcome {
  readonly kept: boolean
  readonly replay: string
}

export function reportJson(outcome: Outcome, name: RunName): string {
  const { seed, minutes, consumers, rate, target } = name
  const report: RunReport = {
    ...{ seed, minutes, consumers, rate, target },
    ...{ kept: isKept(outcome), replay: replayOf(name) },
    ...outcome,
  }
  return JSON.stringify(report, undefined, 2)
}
