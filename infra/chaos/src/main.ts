import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { commandLine, newFile, wholeNumber } from '@sekali/local/command-line'
import { runCommand } from '@sekali/local/run-command'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { InvalidArgumentError } from 'commander'
import { type Fault, fits } from './fault.ts'
import { catalogue } from './faults/catalogue.ts'
import { expandNames } from './names.ts'
import { isKept, type RunName, reportJson, reportText } from './report/report.ts'
import { runChaos } from './run.ts'
import { connectCompose } from './targets/compose.ts'
import { connectHttp } from './targets/http.ts'
import { startLocal } from './targets/local.ts'
import type { Target } from './targets/target.ts'
import { patternOf, topicsOf } from './topics.ts'

interface Options {
  readonly minutes: number
  readonly times?: number
  readonly seed: number
  readonly consumers: number
  readonly rate: number
  readonly faults?: readonly string[]
  readonly target: string
  readonly list?: true
  readonly report?: string
}

const options = commandLine(
  'npm run chaos --',
  'Breaks Sekali in every way that we know, under a load whose outcome can be checked, and checks every promise.',
)
  .option('--minutes <number>', 'how long faults are injected', numberFrom(0.1, 10_000), 5)
  .option(
    '--times <number>',
    'ends sooner, once each fault was injected so often',
    wholeNumber(1, 999_999_999),
  )
  .option(
    '--seed <number>',
    'the same seed gives the same load and the same schedule',
    wholeNumber(0, 999_999_999),
    42,
  )
  .option('--consumers <number>', 'how many consumers share the topics', wholeNumber(1, 64), 4)
  .option('--rate <number>', 'events a second', numberFrom(1, 100_000), 200)
  .option(
    '--faults <names>',
    'only these, separated by commas; abuse-* stands for all that begin so (default: all that the target allows)',
    names,
  )
  .option(
    '--target <target>',
    'local: a system of its own; compose: the project of docker-compose.yml, which must be up; http://…: load and checks only',
    targetName,
    'local',
  )
  .option('--report <file>', 'writes the report as JSON, too', newFile)
  .option('--list', 'explains the faults and ends')
  .parse()
  .opts<Options>()

const sources = 24

await runCommand(async (signal) => {
  if (options.list) return list()
  const report = (what: string) => void process.stderr.write(`${what}\n`)
  await using folder = await temporaryFolder('sekali-chaos-')
  await using target = await reach(folder.path, report, signal)
  const faults = chosen().filter((fault) => fits(fault, target))
  // On a system that others use, and that an earlier run may have used, each run has topics of its own.
  const run = options.target === 'local' ? options.seed : `${options.seed}-${Date.now().toString(36)}`
  const names = { topics: topicsOf(run), pattern: patternOf(run) }
  const outcome = await runChaos({ ...options, ...names, faults, sources }, target, signal, report)
  const name: RunName = { ...options, faults: options.faults ?? [] }
  process.stdout.write(`${reportText(outcome, name)}\n`)
  if (options.report !== undefined) await writeFile(options.report, `${reportJson(outcome, name)}\n`)
  return isKept(outcome) ? 0 : 1
})

async function reach(dir: string, report: (what: string) => void, signal: AbortSignal): Promise<Target> {
  const { target, consumers } = options
  if (target === 'compose') return await connectCompose()
  if (target !== 'local') return connectHttp(target)
  return await startLocal({ dir, consumers, report: (part, what) => report(`${part} ${what}`), signal })
}

function chosen(): Fault[] {
  if (options.faults === undefined) return [...catalogue.values()]
  return options.faults.map((name) => catalogue.get(name) as Fault)
}

function list(): number {
  const width = Math.max(...[...catalogue.keys()].map((name) => name.length))
  for (const { name, about } of catalogue.values()) process.stdout.write(`${name.padEnd(width)}  ${about}\n`)
  return 0
}

function names(text: string): string[] {
  const known = [...catalogue.keys()]
  const { names, unknown } = expandNames(text.split(',').filter(Boolean), known)
  if (unknown !== undefined || names.length === 0) {
    throw new InvalidArgumentError(`There is no fault ${unknown ?? 'of no name'}; --list shows all.`)
  }
  return names
}

function targetName(text: string): string {
  if (text === 'local' || text === 'compose' || /^https?:\/\/\S+$/.test(text)) return text
  throw new InvalidArgumentError('It must be local, compose or an http URL.')
}

function numberFrom(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (text !== '' && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`)
  }
}
