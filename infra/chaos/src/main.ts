import { writeFile } from 'node:fs/promises'
import process from 'node:process'
import { commandLine, newFile, wholeNumber } from '@sekali/local/command-line'
import { runCommand } from '@sekali/local/run-command'
import { UsageError } from '@sekali/local/usage-error'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { InvalidArgumentError } from 'commander'
import { type Fault, fits } from './fault.ts'
import { catalogue } from './faults/catalogue.ts'
import { drills } from './ha/drills.ts'
import { enterOwnNetwork } from './ha/network.ts'
import { runDrills } from './ha/run.ts'
import { expandNames } from './names.ts'
import { drillsTable } from './report/drills.ts'
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
  readonly rate?: number
  readonly drill?: readonly string[]
  readonly events: number
  readonly unprotected?: true
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
    'ends sooner, once each fault was injected so often; of --target ha: how often each drill is run (once)',
    wholeNumber(1, 999_999_999),
  )
  .option(
    '--seed <number>',
    'the same seed gives the same load and the same schedule',
    wholeNumber(0, 999_999_999),
    42,
  )
  .option('--consumers <number>', 'how many consumers share the topics', wholeNumber(1, 64), 4)
  .option('--rate <number>', 'events a second (default: 200; of --target ha: 1000)', numberFrom(1, 100_000))
  .option(
    '--faults <names>',
    'only these, separated by commas; abuse-* stands for all that begin so (default: all that the target allows)',
    names,
  )
  .option(
    '--target <target>',
    'local: a system of its own; compose: the project of docker-compose.yml, which must be up; http://…: load and checks only; ' +
      'ha: systems with a second of everything, for drills of failover, in a network of their own (root, Debian)',
    targetName,
    'local',
  )
  .option(
    '--drill <names>',
    'of --target ha: only these, separated by commas; redis-* stands for all that begin so',
    drillNames,
  )
  .option(
    '--events <number>',
    'of --target ha: how many are acknowledged in each run',
    wholeNumber(1_000, 1_000_000),
    13_000,
  )
  .option('--unprotected', 'of --target ha: without what protects from loss, which must then be told')
  .option('--report <file>', 'writes the report as JSON, too', newFile)
  .option('--list', 'explains the faults, or the drills of --target ha, and ends')
  .parse()
  .opts<Options>()

const sources = 24
const dispatchers = 2
const { rate = 200 } = options

await runCommand(async (signal) => {
  if (options.list) return list(options.target === 'ha' ? drills : [...catalogue.values()])
  const report = (what: string) => void process.stderr.write(`${what}\n`)
  if (options.target === 'ha') return await drill(signal, report)
  for (const name of ['drill', 'unprotected'] as const)
    if (options[name] !== undefined) throw new UsageError(`--${name} belongs to --target ha: give that, too.`)
  await using folder = await temporaryFolder('sekali-chaos-')
  await using target = await reach(folder.path, report, signal)
  const faults = chosen().filter((fault) => fits(fault, target))
  // On a system that others use, and that an earlier run may have used, each run has topics of its own.
  const run = options.target === 'local' ? options.seed : `${options.seed}-${Date.now().toString(36)}`
  const names = { topics: topicsOf(run), pattern: patternOf(run) }
  const outcome = await runChaos({ ...options, rate, ...names, faults, sources }, target, signal, report)
  const name: RunName = { ...options, rate, faults: options.faults ?? [] }
  process.stdout.write(`${reportText(outcome, name)}\n`)
  if (options.report !== undefined) await writeFile(options.report, `${reportJson(outcome, name)}\n`)
  return isKept(outcome) ? 0 : 1
})

async function reach(dir: string, report: (what: string) => void, signal: AbortSignal): Promise<Target> {
  const { target, consumers } = options
  if (target === 'compose') return await connectCompose()
  if (target !== 'local') return connectHttp(target)
  const local = { dir, consumers, dispatchers, signal }
  return await startLocal({ ...local, report: (part, what) => report(`${part} ${what}`) })
}

function chosen(): Fault[] {
  if (options.faults === undefined) return [...catalogue.values()]
  return options.faults.map((name) => catalogue.get(name) as Fault)
}

async function drill(signal: AbortSignal, report: (what: string) => void): Promise<number> {
  if (options.faults !== undefined)
    throw new UsageError('--faults belongs to other targets: --drill names drills.')
  const wanted = drills.filter(({ name, isByHand }) => options.drill?.includes(name) ?? !isByHand)
  const status = await enterOwnNetwork(
    [...new Set(['haproxy', ...wanted.flatMap(({ packages = [] }) => packages)])],
    signal,
  )
  if (status !== undefined) return status
  await using folder = await temporaryFolder('sekali-drills-')
  const { times = 1, rate = 1_000, unprotected, consumers, seed, events } = options
  const what = { times, rate, consumers, seed, events, isProtected: !unprotected }
  const runs = await runDrills({ ...what, dir: folder.path, drills: wanted }, signal, report)
  process.stdout.write(`${drillsTable(runs)}\n`)
  if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(runs, undefined, 2)}\n`)
  return runs.every(({ isKept }) => isKept) ? 0 : 1
}

function list(all: readonly { readonly name: string; readonly about: string }[]): number {
  const width = Math.max(...all.map(({ name }) => name.length))
  for (const { name, about } of all) process.stdout.write(`${name.padEnd(width)}  ${about}\n`)
  return 0
}

function names(text: string): string[] {
  return namesOf(text, [...catalogue.keys()], 'fault')
}

function drillNames(text: string): string[] {
  const known = drills.map(({ name }) => name)
  return namesOf(text, known, 'drill')
}

function namesOf(text: string, known: readonly string[], kind: string): string[] {
  const { names, unknown } = expandNames(text.split(',').filter(Boolean), known)
  if (unknown !== undefined || names.length === 0) {
    throw new InvalidArgumentError(`There is no ${kind} ${unknown ?? 'of no name'}; --list shows all.`)
  }
  return names
}

function targetName(text: string): string {
  if (['local', 'compose', 'ha'].includes(text) || /^https?:\/\/\S+$/.test(text)) return text
  throw new InvalidArgumentError('It must be local, compose, ha or an http URL.')
}

function numberFrom(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (text !== '' && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`)
  }
}
