import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { temporaryFolder } from '@sekali/servers/temporary-folder'

/** Who a process is; nobody else when we are not root. */
export interface User {
  readonly uid?: number
  readonly gid?: number
}

/** Debian's user `daemon`. PostgreSQL asks for the name of its user, so a number alone will not do. */
export const otherUser: User = process.getuid?.() === 0 ? { uid: 1, gid: 1 } : {}

interface Ended {
  readonly code: number | NodeJS.Signals
  readonly out: string
  readonly err: string
}

export interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  said(): string
  /** A Ctrl-C: a terminal signals the whole group. */
  interrupt(): void
}

/** A folder outside of the clone, of a user, with what npm installed there and nothing else. */
export interface Place extends AsyncDisposable {
  readonly path: string
  /** Runs a command there to its end. */
  run(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  start(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Running
}

/**
 * Installs packages into an empty folder, as npm 12 does it unless told otherwise: without install scripts. `node` is the
 * folder of the Node that commands run on.
 */
export async function installed(packages: readonly string[], user: User = {}, node = ''): Promise<Place> {
  const folder = await temporaryFolder('sekali-installed-', 0o755)
  const manifest = join(folder.path, 'package.json')
  await writeFile(manifest, '{}')
  if (user.uid !== undefined && user.gid !== undefined) {
    for (const path of [folder.path, manifest]) await chown(path, user.uid, user.gid)
  }
  // Another user may not write into our cache of npm, which npm run names.
  const home = {
    HOME: folder.path,
    ...(user.uid !== undefined && { npm_config_cache: join(folder.path, '.npm') }),
  }
  const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    watch(
      spawn(command, args, {
        ...user,
        cwd: folder.path,
        env: { ...outside(process.env), ...home, PATH: `${node}:${process.env.PATH}`, ...env },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  const run = async (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    await start(command, args, env).ended
  const { code, err } = await run('npm', [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...packages,
  ])
  if (code !== 0) {
    await folder[Symbol.asyncDispose]()
    throw new Error(`npm install ended with ${code}: ${err}`)
  }
  return { path: folder.path, run, start, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

/** What a shell outside of the clone has: nothing of npm's, ours or the test runner's. */
const outside = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^(npm_(?!config_)|VITEST|NODE_(ENV|OPTIONS|PATH|COMPILE_CACHE)$|SEKALI|INIT_CWD|TEST$|DATABASE_URL|REDIS_URL)/.test(
          name,
        ),
    ),
  )

function watch(child: ChildProcess): Running {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, out, err }))
  const interrupt = () => void process.kill(-(child.pid ?? 0), 'SIGINT')
  return {
    child,
    ended,
    said: () => out + err,
    interrupt,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) interrupt()
      await ended
    },
  }
}

/** The folder of a Node from npm, such as `22`, and a folder around it that is to be removed. */
export async function nodeOf(version: string): Promise<Place & { readonly bin: string }> {
  const name = `node-${process.platform}-${process.arch}`
  const place = await installed([`${name}@${version}`])
  return { ...place, bin: join(place.path, 'node_modules', name, 'bin') }
}
