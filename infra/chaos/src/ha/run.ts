/** Drills, one after the other and as often as asked for, each on a system of its own. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from '../fault.ts'
import type { DrillRun } from '../report/drills.ts'
import { isKept, reportText } from '../report/report.ts'
import { type Outcome, runChaos } from '../run.ts'
import { patternOf, topicsOf } from '../topics.ts'
import type { Drill } from './drills.ts'
import { startHa } from './target.ts'

export interface DrillsOptions {
  /** Where the systems have their data. */
  readonly dir: string
  readonly drills: readonly Drill[]
  readonly times: number
  readonly isProtected: boolean
  /** So many events are acknowledged in each run. */
  readonly events: number
  readonly rate: number
  readonly consumers: number
  readonly seed: number
}

const sources = 24
const minutesMax = 5

export async function runDrills(
  options: DrillsOptions,
  signal: AbortSignal,
  report: (what: string) => void,
): Promise<readonly DrillRun[]> {
  const runs: DrillRun[] = []
  for (const drill of options.drills) {
    for (let time = 0; time < options.times && !signal.aborted; time++) {
      const seed = options.seed + time
      report(`${drill.name}, ${time + 1} of ${options.times}: ${drill.about}`)
      runs.push(await runDrill(drill, { ...options, seed }, signal, report))
    }
  }
  signal.throwIfAborted()
  return runs
}

async function runDrill(
  drill: Drill,
  options: Omit<DrillsOptions, 'drills' | 'times'>,
  signal: AbortSignal,
  report: (what: string) => void,
): Promise<DrillRun> {
  const { isProtected, seed, consumers, rate } = options
  const dir = join(options.dir, `${drill.name}-${seed}`)
  await mkdir(dir)
  await using target = await startHa({
    ...{ dir, consumers, isProtected, database: drill.database, signal },
    report: (part, what) => report(`${part} ${what}`),
  })
  const fault: Fault = {
    ...{ name: drill.name, about: drill.about, needs: [] },
    run: (context, signal) => drill.run(target, context, signal),
  }
  const load = { seed, rate, sources, topics: topicsOf(seed), pattern: patternOf(seed) }
  const once = {
    minutes: minutesMax,
    times: 1,
    faults: [fault],
    acknowledgedMin: options.events,
    hasNoWorkers: true,
  }
  const outcome = await runChaos({ ...load, ...once }, target, signal, report)
  const run = { drill: drill.name, isProtected, seed, isKept: isKeptBy(drill, options, outcome), outcome }
  report(run.isKept ? lineOf(run) : explain(run, options))
  return run
}

/** Whether all promises were kept, all events were acknowledged, and whatever may not be missing is there. */
export function isKeptBy(
  { loses }: Drill,
  { isProtected, events }: Pick<DrillsOptions, 'isProtected' | 'events'>,
  outcome: Outcome,
): boolean {
  const { acknowledged, missing, lost } = outcome.balance
  const wasDone = outcome.faults.some(({ times }) => times > 0) && acknowledged >= events
  // What loses nothing without protection does not show what protects.
  const isTold = isProtected || !loses ? missing === 0 && lost === 0 : missing > 0 && lost >= missing
  return isKept(outcome) && wasDone && isTold
}

const lineOf = ({ outcome: { balance, silentMs } }: DrillRun): string =>
  `${n(balance.acknowledged)} acknowledged, ${n(balance.missing)} of them missing, ${n(balance.lost)} counted as lost; ` +
  `nobody was answered with yes for ${seconds(silentMs)}`

const explain = (run: DrillRun, { rate, consumers }: Pick<DrillsOptions, 'rate' | 'consumers'>): string => {
  const { seed, drill } = run
  const name = { seed, minutes: minutesMax, times: 1, consumers, rate, target: 'ha', faults: [drill] }
  return `BROKEN: ${lineOf(run)}\n${reportText(run.outcome, name)}`
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const n = (value: number): string => value.toLocaleString('en-US')
