import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import process from 'node:process'
import type { TestChoice } from './mutant.ts'

export interface SuiteResult {
  readonly passed: readonly Test[]
  readonly failed: readonly Test[]
  readonly seconds: number
}

export interface Test {
  /** In its tree. */
  readonly file: string
  readonly name: string
  /** With those of what it is in. */
  readonly fullName: string
}

const suiteMs = 300_000
const outputBytesMax = 16 * 1024 * 1024

export const isChosen = ({ file, fullName }: Test, choice: TestChoice): boolean =>
  file.includes(choice.file) && new RegExp(choice.name).test(fullName)

/** Runs the chosen tests of the tree in `folder`, all of one project. Throws when none could be run at all. */
export async function runSuite(
  folder: string,
  choices: readonly TestChoice[],
  signal: AbortSignal,
): Promise<SuiteResult> {
  const projects = new Set(choices.flatMap(({ project }) => [project, `${project}:*more`]))
  const outputFile = join(folder, 'suite.json')
  await rm(outputFile, { force: true })
  const args = [
    join(folder, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--config', 'vitest.workspace.ts'],
    // The test may be one of those that `npm run test:more` runs.
    ...[...projects].flatMap((project) => ['--project', project]),
    ...new Set(choices.map(({ file }) => file)),
    ...['--testNamePattern', choices.map(({ name }) => `(?:${name})`).join('|')],
    ...['--reporter', 'json', '--outputFile', outputFile],
  ]
  const { said, seconds } = await runNode(folder, args, suiteMs + choices.length * 60_000, signal)
  const text = await readFile(outputFile, 'utf8').catch(() => '{}')
  const { testResults = [] } = JSON.parse(text) as Report
  const tests = testResults.flatMap(({ name: path, assertionResults }) => {
    const file = relative(folder, path)
    return assertionResults.map(({ title, fullName, status }) => ({ file, name: title, fullName, status }))
  })
  const of = (status: string) => tests.filter((one) => one.status === status)
  const [passed, failed] = [of('passed'), of('failed')]
  if (passed.length + failed.length === 0) throw new Error(`no test was run:\n${said.slice(-2_000)}`)
  return { passed, failed, seconds }
}

interface Report {
  readonly testResults?: readonly {
    readonly name: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly title: string
      readonly fullName: string
    }[]
  }[]
}

async function runNode(cwd: string, args: readonly string[], timeout: number, signal: AbortSignal) {
  const startedAt = performance.now()
  // What V8 makes of a copy goes with the copy.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(cwd, 'compiled') }
  const options = {
    cwd,
    env,
    signal,
    timeout,
    killSignal: 'SIGTERM',
    maxBuffer: outputBytesMax,
  } as const
  const said = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, options, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`))
  })
  signal.throwIfAborted()
  return { said, seconds: (performance.now() - startedAt) / 1_000 }
}
