import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { TestChoice } from './mutant.ts'

export interface SuiteResult {
  readonly passed: number
  /** The names of the tests that failed. */
  readonly failed: readonly string[]
  readonly seconds: number
}

const suiteMs = 300_000
const outputBytesMax = 16 * 1024 * 1024

/** Runs the chosen tests of the tree in `folder`. Throws when none could be run at all. */
export async function runSuite(
  folder: string,
  choice: TestChoice,
  signal: AbortSignal,
): Promise<SuiteResult> {
  const outputFile = join(folder, 'suite.json')
  await rm(outputFile, { force: true })
  const args = [
    join(folder, 'node_modules/vitest/vitest.mjs'),
    ...['run', '--config', 'vitest.workspace.ts'],
    // The test may be one of those that `npm run test:more` runs.
    ...['--project', choice.project, '--project', `${choice.project}:more`, choice.file],
    ...['--testNamePattern', choice.name, '--reporter', 'json', '--outputFile', outputFile],
  ]
  const { said, seconds } = await runNode(folder, args, signal)
  const text = await readFile(outputFile, 'utf8').catch(() => '{}')
  const { testResults = [] } = JSON.parse(text) as Report
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const named = (status: string) => tests.filter((one) => one.status === status).map(({ title }) => title)
  const [passed, failed] = [named('passed').length, named('failed')]
  if (passed + failed.length === 0) throw new Error(`no test was run:\n${said.slice(-2_000)}`)
  return { passed, failed, seconds }
}

interface Report {
  readonly testResults?: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[]
  }[]
}

async function runNode(cwd: string, args: readonly string[], signal: AbortSignal) {
  const startedAt = performance.now()
  // What V8 makes of a copy goes with the copy.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(cwd, 'compiled') }
  const options = {
    cwd,
    env,
    signal,
    timeout: suiteMs,
    killSignal: 'SIGTERM',
    maxBuffer: outputBytesMax,
  } as const
  const said = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, options, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`))
  })
  signal.throwIfAborted()
  return { said, seconds: (performance.now() - startedAt) / 1_000 }
}
