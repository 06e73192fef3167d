// What drills of failovers leave, and the table of it.
import type { Outcome } from '../run.ts'

/** How one run of a drill went. */
export interface DrillRun {
  readonly drill: string
  readonly isProtected: boolean
  readonly seed: number
  readonly isKept: boolean
  readonly outcome: Outcome
}

const titles = 'drill|protection|runs|acknowledged|missing|counted as lost|no yes for|back after|promises'

/** A row for each drill, of all its runs, as docs/reliability.md has it. */
export function drillsTable(runs: readonly DrillRun[]): string {
  const rows = Map.groupBy(runs, ({ drill, isProtected }) => `${drill}|${isProtected ? 'on' : 'off'}`)
    .entries()
    .map(([key, ofIt]) => {
      const sum = (of: (outcome: Outcome) => number) =>
        n(ofIt.reduce((all, { outcome }) => all + of(outcome), 0))
      const worst = (of: (outcome: Outcome) => number) =>
        seconds(Math.max(...ofIt.map(({ outcome }) => of(outcome))))
      const broken = ofIt.filter(({ isKept }) => !isKept).length
      return [
        ...key.split('|'),
        n(ofIt.length),
        sum(({ balance }) => balance.acknowledged),
        sum(({ balance }) => balance.missing),
        sum(({ balance }) => balance.lost),
        worst(({ silentMs }) => silentMs),
        worst(({ faults }) => Math.max(0, ...faults.flatMap(({ recoveries }) => recoveries))),
        broken === 0 ? 'kept' : `**broken** in ${broken}`,
      ]
    })
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const columns = titles.split('|')
  const under = `|---|---|${'---:|'.repeat(columns.length - 3)}---|`
  return [line(columns), under, ...rows.map(line)].join('\n')
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const n = (value: number): string => value.toLocaleString('en-US')
