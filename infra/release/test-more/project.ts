import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ownFolder } from '@sekali/testkit/servers'
import { inject } from 'vitest'

export interface Project extends AsyncDisposable {
  readonly path: string
  /** Runs one of its programs to its end. Rejects with what it said if it fails. */
  run(command: string, ...args: string[]): Promise<string>
}

/** An empty folder outside of the clone, with what is published, other packages, and copies of our programs. */
export async function ownProject(installed: string[], programs: string[]): Promise<Project> {
  const folder = await ownFolder()
  const { path } = folder
  const run = async (command: string, ...args: string[]) => {
    const child = spawn(command, args, { cwd: path, env: foreignEnv, stdio: ['ignore', 'pipe', 'pipe'] })
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ])
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}\n${errors}`)
    return output
  }
  await writeFile(join(path, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  for (const program of programs) {
    const source = fileURLToPath(new URL(`programs/${program}`, import.meta.url))
    await copyFile(source, join(path, program))
  }
  const tarballs = Object.values(inject('tarballs'))
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
  await run('npm', 'install', '--ignore-scripts', ...quiet, ...tarballs, ...installed)
  return { path, run, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

/** The environment without what npm and vitest tell their children: nothing of that is meant for another project. */
export const foreignEnv = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|SEKALI_|NODE_(ENV|OPTIONS|COMPILE_CACHE)$)/.test(name),
  ),
)

/** As npm packages name this kind of processor. */
export const arch = process.arch === 'arm64' ? 'arm64' : 'x64'
