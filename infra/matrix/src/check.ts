/** What is run on each pair of servers: the suites of the rooms that speak to them, and the demo. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { repositoryRoot } from '@sekali/local/repository'
import { readTestFigures } from '@sekali/local/test-figures'
import { runProgram } from './run-program.ts'

export interface Checked {
  readonly passed: number
  /** File, name and first line of what was wrong. */
  readonly failures: readonly string[]
  /** Whether the demo's figures balanced. */
  readonly isBalanced: boolean
}

const projects = ['broker', 'store', 'consumer']

/** `env` names the servers. */
export async function check(env: NodeJS.ProcessEnv, dir: string, signal: AbortSignal): Promise<Checked> {
  const reports = join(dir, 'reports')
  await mkdir(reports, { recursive: true })
  const options = { cwd: repositoryRoot, env: { ...process.env, ...env, SEKALI_REPORTS: reports }, signal }
  const chosen = projects.flatMap((project) => ['--project', project])
  const vitest = join(repositoryRoot, 'node_modules/.bin/vitest')
  const tested = await runProgram(vitest, ['run', '--config', 'vitest.workspace.ts', ...chosen], options)
  signal.throwIfAborted()
  const { passed, failures } = await readTestFigures(reports)
  const ended = tested.code === 0 || failures.length > 0 ? [] : [lastLineOf(tested.said)]
  const demo = join(repositoryRoot, 'infra/local/src/demo.ts')
  const shown = await runProgram(process.execPath, [demo, '--events', '5000'], options)
  return { passed, failures: [...failures, ...ended], isBalanced: shown.code === 0 }
}

const lastLineOf = (said: string): string => said.trim().split('\n').at(-1) ?? 'it said nothing'
