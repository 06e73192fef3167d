import process from 'node:process'
import { commandLine, newFolder, wholeNumber } from '@sekali/local/command-line'
import { narrate } from '@sekali/local/narration'
import { runCommand } from '@sekali/local/run-command'
import { Option } from 'commander'
import { heatsOf, type RowResult, runHeat, stagesOf } from './heat.ts'
import { describeMachine, type Machine, machineLine } from './machine.ts'
import { toChart } from './report/chart.ts'
import { round, toMarkdown } from './report/markdown.ts'
import { resultsDir, saveResults, writeDocumentation } from './report/save.ts'
import { summarize } from './report/summary.ts'
import { wrapped } from './report/wrapped.ts'
import type { Measure, Row } from './row.ts'
import { rows } from './rows.ts'
import { type Bench, openBench } from './system/bench.ts'

const command = commandLine(
  'npm run bench --',
  'Measures Sekali against its rivals and ceilings in one run, on servers and data of its own, in interleaved ' +
    'rounds. Prints a table and saves it as JSON, Markdown and a chart.',
)
  .addOption(new Option('--only <names...>', 'only these rows').choices(rows.map(({ name }) => name)))
  .option('--quick', 'a tenth of the events: to see that it works, not how fast it is')
  .option('--large', 'also the rows that take an hour and tens of gigabytes')
  .option('--rounds <number>', "rounds (default: each row's own)", wholeNumber(1, 100))
  .option('--results <folder>', 'where to save what is found', newFolder, resultsDir)
  .option('--profile <folder>', 'keep V8 profiles of gateways, consumers and rivals there', newFolder)
  .option('--write', 'also bring docs/performance.md up to date; takes a whole run')
  .option('--list', 'say which rows there are')
  .parse()
const options = command.opts<Options>()
if (options.write && (options.quick || options.only !== undefined)) {
  command.error('error: --write takes all rows, and not --quick')
}

interface Options {
  readonly only?: string[]
  readonly quick?: true
  readonly large?: true
  readonly rounds?: number
  readonly results: string
  readonly profile?: string
  readonly write?: true
  readonly list?: true
}

await runCommand(async (signal) => {
  if (options.list) list()
  else await run(signal)
  return 0
})

function list(): void {
  for (const { name, what, against, rival } of rows) {
    const versus = rival === undefined ? '' : `, against ${against}`
    process.stdout.write(`${name.padEnd(12)} ${what}${versus}\n`)
  }
}

async function run(signal: AbortSignal): Promise<void> {
  const startedAt = new Date().toISOString()
  const { machine, results } = await measure(signal)
  const summaries = results.map(summarize)
  const quick = options.quick ? '\n\nA quick run: the figures mean little.' : ''
  const found = {
    json: `${JSON.stringify({ startedAt, quick: options.quick === true, machine, rows: results.map(toRecord) }, null, 2)}\n`,
    markdown: `${wrapped(`${startedAt.slice(0, 10)}, ${machineLine(machine)}.${quick}`)}\n\n${toMarkdown(summaries, results)}`,
    chart: toChart(summaries),
  }
  await saveResults(options.results, found)
  if (options.write) await writeDocumentation(found)
  process.stdout.write(`\n${found.markdown}\n`)
  narrate('results', `are in ${options.results}`)
}

async function measure(signal: AbortSignal): Promise<{ machine: Machine; results: RowResult[] }> {
  narrate('servers', 'are starting')
  const { quick = false, profile: profileDir } = options
  await using bench = await openBench({ quick, profileDir, signal })
  const machine = await describeMachine(bench)
  const results: RowResult[] = []
  for (const stage of stagesOf(wantedRows())) {
    for (const heat of heatsOf(stage)) results.push(...(await measureHeat(bench, heat)))
    await bench.dropDatabases()
  }
  return { machine, results }
}

function wantedRows(): Row[] {
  const wanted = rows.filter(
    ({ name, large }) => options.only?.includes(name) ?? (!large || options.large === true),
  )
  return wanted.filter(({ name, lacks }) => {
    const why = lacks?.()
    if (why !== undefined) narrate(name, `is left out: ${why}`)
    return why === undefined
  })
}

async function measureHeat(bench: Bench, heat: readonly Row[]): Promise<RowResult[]> {
  const name = heat.map((row) => row.name).join(' and ')
  narrate(name, 'gets ready')
  const onMeasure = (side: string, number: number, one: Measure) =>
    narrate(name, `${number}: ${side} ${round(one.value)} ${heat[0]?.unit} ${usedBy(one)}`)
  return await runHeat(bench, heat, { rounds: options.rounds, onMeasure })
}

function usedBy({ clockSeconds, cpu, foreign }: Measure): string {
  const used = Object.entries(cpu).map(([name, spent]) => `${name} ${spent.toFixed(2)}`)
  return `(${clockSeconds.toFixed(2)} s; processor s: ${used.join(', ')}; others' share ${foreign?.toFixed(2)})`
}

function toRecord(result: RowResult) {
  const { row, ours, rival } = result
  const { row: _row, ...figures } = summarize(result)
  const { name, what, against, unit, target } = row
  const rounds = { [row.ours.name]: ours, ...(row.rival === undefined ? {} : { [row.rival.name]: rival }) }
  return { name, what, against, unit, target, ...figures, rounds }
}
