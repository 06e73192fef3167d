/**
 * `npm run chaos:summary -- [--into PAGE] [--mutants TABLE] REPORT…`: makes the tables of docs/reliability.md out of the
 * JSON reports of runs, so that no figure is copied by hand.
 */
import { readFile, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { commandLine } from '@sekali/local/command-line'
import { runCommand } from '@sekali/local/run-command'
import { type AbuseFigures, complaintsOf, operations } from '../check/abuse-verdict.ts'
import { type DrillRun, drillsTable } from './drills.ts'
import { medianOf } from './median.ts'
import type { RunReport } from './report.ts'

const command = commandLine(
  'npm run chaos:summary --',
  'Makes the tables of docs/reliability.md out of the JSON reports of chaos runs.',
)
  .option('--into <page>', 'writes them between the marks of this page')
  .option('--mutants <table>', 'the table that chaos:mutants wrote')
  .argument('<reports...>')
  .parse()
const { into, mutants } = command.opts<{ into?: string; mutants?: string }>()

const reports: RunReport[] = []
const drillRuns: DrillRun[] = []

await runCommand(async () => {
  for (const file of command.args) {
    const report = JSON.parse(await readFile(file, 'utf8')) as RunReport | DrillRun[]
    if (Array.isArray(report)) drillRuns.push(...report)
    else reports.push(report)
  }
  if (reports.length > 0) {
    await write('runs', [totals(), '', runsTable()].join('\n'))
    await write('faults', faultsTable())
  }
  if (drillRuns.length > 0) await write('drills', drillsTable(drillRuns))
  if (abuses().length > 0) await write('abuses', abusesTable())
  if (mutants !== undefined) await write('mutants', (await readFile(mutants, 'utf8')).trim())
  return 0
})

// Reports from before there were abuses have none.
function abuses(): AbuseFigures[] {
  return reports.flatMap((report) => report.abuses ?? [])
}

async function write(part: string, text: string): Promise<void> {
  if (into === undefined) return void process.stdout.write(`${text}\n\n`)
  const page = await readFile(into, 'utf8')
  const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${into} must have ${begin} and ${end}`)
  await writeFile(into, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`)
}

function totals(): string {
  const sum = (of: (report: RunReport) => number) => n(reports.reduce((all, report) => all + of(report), 0))
  const minutes = reports.reduce((all, { seconds }) => all + seconds, 0) / 60
  const injections = sum(({ faults }) => faults.reduce((all, { times }) => all + times, 0))
  const broken = reports.filter(({ kept }) => !kept).length
  return (
    `${reports.length} ${reports.length === 1 ? 'run' : 'runs'}, ${minutes.toFixed(0)} minutes in all: ${sum(({ operations }) => operations.ok)} operations ` +
    `answered with yes, ${sum(({ operations }) => operations.failed)} surely not carried out, ` +
    `${sum(({ operations }) => operations.indeterminate)} without a certain answer; ${sum(({ events }) => events)} events stored; ` +
    `${injections} faults injected, ${sum(({ kills }) => kills)} processes killed. ` +
    (broken === 0 ? 'Every promise was kept in every run.' : `Promises were broken in ${broken} runs.`)
  )
}

function runsTable(): string {
  const rows = reports.map(
    ({ seed, target, seconds, consumers, rate, operations, events, faults, kills, drainMs, kept }) => [
      target,
      String(seed),
      `${seconds.toFixed()} s`,
      target === 'local' ? String(consumers) : '',
      n(rate),
      n(operations.ok),
      n(operations.indeterminate),
      n(events),
      n(faults.reduce((all, { times }) => all + times, 0)),
      n(kills),
      inSeconds(drainMs),
      kept ? 'kept' : '**broken**',
    ],
  )
  const titles =
    'target|seed|time|consumers|events/s|yes|no certain answer|stored|faults|kills|drained|promises'
  return table(titles.split('|'), rows)
}

function faultsTable(): string {
  const byName = new Map<string, { times: number; indeterminate: number; recoveries: number[] }>()
  for (const { name, times, operations, recoveries } of reports.flatMap(({ faults }) => faults)) {
    const all = byName.get(name) ?? { times: 0, indeterminate: 0, recoveries: [] }
    byName.set(name, all)
    all.times += times
    all.indeterminate += operations.indeterminate
    all.recoveries.push(...recoveries)
  }
  const rows = [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { times, indeterminate, recoveries }]) => [
      name,
      n(times),
      n(indeterminate),
      inSeconds(medianOf(recoveries)),
      inSeconds(recoveries.length === 0 ? undefined : Math.max(...recoveries)),
    ])
  return table(['fault', 'times', 'requests without a certain answer', 'back: median', 'worst'], rows)
}

/** The worst of each abuse. */
function abusesTable(): string {
  const names = [...new Set(abuses().map(({ fault }) => fault))].sort()
  const rows = names.map((name) => {
    const all = abuses().filter(({ fault }) => fault === name)
    const worst = (of: (figures: AbuseFigures) => number | undefined) =>
      Math.max(...all.map((figures) => of(figures) ?? Number.NaN))
    const latencies = operations.map((operation) => [
      worst(({ quiet }) => quiet[operation]),
      worst(({ abused }) => abused?.[operation]),
    ])
    return [
      name,
      ...latencies.map(([quiet, abused]) => `${inWholeMs(quiet)} → ${inWholeMs(abused)}`),
      `${(worst(({ rssKb }) => rssKb) / 1_024).toFixed()} MB`,
      inSeconds(worst(({ backMs }) => backMs)),
      all.flatMap(complaintsOf).length === 0 ? 'kept' : '**broken**',
    ]
  })
  const titles = 'one client|publish: p99 before → during|wait|read|tail|gateway|back|promise'
  return table(titles.split('|'), rows)
}

function inWholeMs(ms = Number.NaN): string {
  return Number.isNaN(ms) ? '–' : `${Math.ceil(ms)} ms`
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(titles), `|---${'|---:'.repeat(titles.length - 1)}|`, ...rows.map(line)].join('\n')
}

function inSeconds(ms: number | undefined): string {
  return ms === undefined || Number.isNaN(ms) ? 'never' : `${(ms / 1_000).toFixed(1)} s`
}

function n(value: number): string {
  return value.toLocaleString('en-US')
}
