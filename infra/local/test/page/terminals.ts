/** Terminals in which a test types what a page says, in a copy of the repository. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect } from 'vitest'
import { repositoryRoot } from '../../src/command/repository.ts'
import { isPrinted } from './page.ts'

const commandMs = 150_000

/** Fails unless that is what the page says. */
export function compare(where: string, command: string, output: string, printed: string): void {
  if (isPrinted(output, printed)) return
  expect.fail(`${where}: ${command}\n\nprints\n\n${printed}\n\nand the page says\n\n${output}`)
}

export interface Terminals extends AsyncDisposable {
  run(command: string): Promise<{ printed: string; code: number | null }>
  /** `npm start`, in a terminal of its own: resolves once it has printed what its page says. */
  start(command: string, output: string, where: string): Promise<void>
  /** Ctrl-C there. What it printed afterwards. */
  interrupt(): Promise<string>
}

/** `env` is added to our own; `functions` are of bash, and take the place of commands. */
export function openTerminals(
  folder: string,
  port: string,
  { env: more = {}, functions = '' }: { readonly env?: NodeJS.ProcessEnv; readonly functions?: string } = {},
): Terminals {
  let service: Typed | undefined
  const groups: number[] = []
  const env = {
    ...process.env,
    SEKALI_URL: `http://127.0.0.1:${port}`,
    REDIS_URL: '',
    DATABASE_URL: '',
    ...more,
  }
  const interrupt = async () => {
    if (service === undefined) throw new Error('nothing is started')
    const before = service.printed().length
    process.kill(-(service.child.pid ?? 0), 'SIGINT')
    await service.ended
    const after = service.printed().slice(before)
    service = undefined
    return after
  }
  return {
    async run(command) {
      const typed = spawnTyped(`${functions}\n${command}`, folder, env, commandMs)
      if (typed.child.pid !== undefined) groups.push(typed.child.pid)
      const code = await typed.ended
      return { printed: typed.printed(), code }
    },
    async start(command, output, where) {
      const withPort = command.replace(/^npm start(?: --)?/m, `npm start -- --port ${port}`)
      const typed = spawnTyped(`${functions}\n${withPort}`, folder, env)
      service = typed
      await eventually(() => compare(where, command, output, typed.printed()), commandMs)
    },
    interrupt,
    [Symbol.asyncDispose]: async () => {
      for (const group of groups) killGroup(group)
      if (service !== undefined) await interrupt()
    },
  }
}

/** What a command has left running in the background, when the page was not typed to its end for instance. */
function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nothing is left of it.
  }
}

interface Typed {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  printed(): string
}

/** What it prints to either stream, as on a terminal; a process group of its own, so that Ctrl-C reaches all of it. */
function spawnTyped(command: string, cwd: string, env: NodeJS.ProcessEnv, timeout?: number): Typed {
  const child = spawn('bash', ['-c', `exec 2>&1\n${command}`], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(timeout === undefined ? {} : { timeout }),
  })
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  return {
    child,
    printed: () => printed,
    ended: once(child, 'close').then(([code]) => code as number | null),
  }
}

/** What git would clone, uncommitted edits included. Packages are linked: to install them takes minutes. */
export async function copyOfRepository() {
  const folder = await temporaryFolder('sekali-clone-', 0o755)
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  })
  const files = listed.split('\0').filter((name) => name !== '' && existsSync(join(repositoryRoot, name)))
  for (const file of files) {
    const target = join(folder.path, file)
    await mkdir(dirname(target), { recursive: true })
    await cp(join(repositoryRoot, file), target, { verbatimSymlinks: true })
  }
  const modules = join(folder.path, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(join(repositoryRoot, 'node_modules'))) {
    const from = join(repositoryRoot, 'node_modules', name)
    // Our own packages are relative links, which lead to the copy's.
    if (name === '@sekali') await cp(from, join(modules, name), { recursive: true, verbatimSymlinks: true })
    else await symlink(from, join(modules, name))
  }
  return folder
}
