import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { repositoryRoot } from '../command/repository.ts'
import { runCommand } from '../command/run-command.ts'
import { readTestFigures } from './test-figures.ts'

/** Runs tests with one of our dependencies' programs, and ends with how many passed and failed. */
export async function runTests(program: string, args: readonly string[]): Promise<void> {
  await runCommand(async (signal) => {
    const reports = await mkdtemp(join(tmpdir(), 'sekali-reports-'))
    try {
      const code = await run(program, args, reports, signal)
      const { passed, failed, failures } = await readTestFigures(reports)
      // Between the lines of the projects that run side by side they are hard to find.
      for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
      process.stdout.write(`${passed} passed, ${failed} failed\n`)
      return code === 0 && failed === 0 && passed > 0 ? 0 : code || 1
    } finally {
      await rm(reports, { recursive: true, force: true })
    }
  })
}

async function run(
  program: string,
  args: readonly string[],
  reports: string,
  signal: AbortSignal,
): Promise<number> {
  const child = spawn(join(repositoryRoot, 'node_modules/.bin', program), args, {
    cwd: repositoryRoot,
    stdio: 'inherit',
    env: { ...process.env, SEKALI_REPORTS: reports },
  })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const [code] = await ended
  return code ?? 1
}
