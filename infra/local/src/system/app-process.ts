import { chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { isNotice, type Notice } from '@sekali/process/notice'
import { ServerFailed } from '@sekali/servers/errors'
import { sizeOf } from '@sekali/servers/log-tail'
import { endSpawned, type Spawned, spawnLogged } from '@sekali/servers/spawned'
import type { Runnable } from '@sekali/servers/supervise'
import { asWeAre, tryUnprivileged, unprivilegedOwner, userOf } from '@sekali/servers/unprivileged'
import { repositoryRoot } from '../command/repository.ts'
import { lastWords } from './last-words.ts'
import { visibleTo } from './settings.ts'

export interface AppOptions {
  /** Names its log file, too. */
  readonly name: string
  readonly program: string
  readonly logDir: string
  readonly env: NodeJS.ProcessEnv
  /** Besides those that all apps run with. */
  readonly nodeFlags?: readonly string[]
  /** Called with what it tells us. */
  readonly onNotice?: ((notice: Notice) => void) | undefined
}

// V8 lets the young generation grow to three times 32 MB before it looks back: 330 MB resident under load instead of
// 150 to 200. To collect so little with several threads costs more than it saves. The image of infra/docker says the same.
const nodeFlags = ['--max-semi-space-size=4', '--no-parallel-scavenge']

const drainMs = 10_000
const oneShotMs = 60_000

/** Starts one of our own programs; root starts it as the user nobody where that works. It drains on `stop`, and when we die. */
export async function startApp(options: AppOptions): Promise<Runnable> {
  const { spawned } = await spawnApp(options)
  const { onNotice } = options
  if (onNotice !== undefined) spawned.child.on('message', (message) => isNotice(message) && onNotice(message))
  return { pid: spawned.pid, exited: spawned.exited, stop: () => endSpawned(spawned, 'SIGTERM', drainMs) }
}

/** Runs one of our own programs to its end. Throws {@link ServerFailed} unless it ends well, and in time. */
export async function runApp(options: AppOptions, signal?: AbortSignal): Promise<void> {
  const { spawned, logFile, logStart } = await spawnApp(options)
  const giveUp = AbortSignal.any([AbortSignal.timeout(oneShotMs), ...(signal ? [signal] : [])])
  const stop = () => void endSpawned(spawned, 'SIGTERM', drainMs)
  giveUp.addEventListener('abort', stop)
  await spawned.exited
  giveUp.removeEventListener('abort', stop)
  signal?.throwIfAborted()
  if (spawned.ending() === 'exit code 0') return
  const words = await lastWords(logFile, logStart)
  throw new ServerFailed(`${options.name} failed (${spawned.ending()}). Its last words:\n${words}`)
}

async function spawnApp(
  options: AppOptions,
): Promise<{ spawned: Spawned; logFile: string; logStart: number }> {
  const logFile = join(options.logDir, `${options.name}.log`)
  const logStart = await sizeOf(logFile)
  const unprivileged = tryUnprivileged(process.execPath, repositoryRoot) ?? asWeAre
  const { command, prefix } = unprivileged.command(process.execPath)
  const spawned = await spawnLogged({
    command,
    args: [...prefix, ...nodeFlags, ...(options.nodeFlags ?? []), options.program],
    env: { ...visibleTo(process.env), ...(await cacheOf(options.logDir)), ...options.env },
    logFile,
    ipc: true,
    ...userOf(unprivileged),
  })
  return { spawned, logFile, logStart }
}

/** Where Node keeps what V8 makes of our sources, when root runs this: the other user cannot write into ours. */
async function cacheOf(logDir: string): Promise<NodeJS.ProcessEnv> {
  const owner = unprivilegedOwner()
  if (owner === undefined || process.env.NODE_COMPILE_CACHE === undefined) return {}
  const folder = join(logDir, '..', 'compiled')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chown(folder, owner.uid, owner.gid)
  return { NODE_COMPILE_CACHE: folder }
}
