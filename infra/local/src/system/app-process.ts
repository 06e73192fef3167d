import { chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { isNotice } from '@sekali/process/notice'
import { ServerFailed } from '@sekali/servers/errors'
import { sizeOf } from '@sekali/servers/log-tail'
import { endSpawned, type Spawned, spawnLogged } from '@sekali/servers/spawned'
import type { Runnable } from '@sekali/servers/supervise'
import { asWeAre, tryUnprivileged, unprivilegedOwner, userOf } from '@sekali/servers/unprivileged'
import { repositoryRoot } from '../command/repository.ts'
import { lastWords } from './last-words.ts'
import type { ProjectorNotice } from './notices.ts'
import { visibleTo } from './settings.ts'

export interface AppOptions {
  /** Names its log file, too. */
  readonly name: string
  readonly program: string
  readonly args?: readonly string[]
  readonly logDir: string
  readonly env: NodeJS.ProcessEnv
  /** Besides those that all apps run with. */
  readonly nodeFlags?: readonly string[]
  /** Called with what it tells us, but for where it answers. */
  readonly onNotice?: ((notice: ProjectorNotice) => void) | undefined
  /** Called once it has said where it answers about its health, and where it serves its metrics. */
  readonly onPlace?: (() => void) | undefined
}

export interface AppProcess extends Runnable {
  /** Where it answers about its health, and where it serves its metrics, once it has said so. */
  health(): string | undefined
  metrics(): string | undefined
}

// V8 lets the young generation grow to three times 32 MB before it looks back: 330 MB resident under load instead of
// 150 to 200. To collect so little with several threads costs more than it saves. The image of infra/docker says the same.
const nodeFlags = ['--max-semi-space-size=4', '--no-parallel-scavenge']

const drainMs = 10_000
const oneShotMs = 60_000
/** What a line cannot say, its log does. */
const linesOfEnd = 3

/** Starts one of our own programs; root starts it as the user nobody where that works. It drains on `stop`, and when we die. */
export async function startApp(options: AppOptions): Promise<AppProcess> {
  const { spawned, logFile, logStart } = await spawnApp(options)
  const { onNotice, onPlace } = options
  const places: { health?: string; metrics?: string } = {}
  spawned.child.on('message', (message) => {
    if (!isNotice(message)) return
    if ('keyless' in message) return
    if (!('health' in message || 'metrics' in message)) return onNotice?.(message)
    Object.assign(places, message)
    onPlace?.()
  })
  return {
    pid: spawned.pid,
    exited: spawned.exited,
    stop: () => endSpawned(spawned, 'SIGTERM', drainMs),
    health: () => places.health,
    metrics: () => places.metrics,
    // Whom a signal has ended had no time for a word about it.
    lastWords: async () =>
      spawned.ending()?.startsWith('exit code') ? await lastWords(logFile, logStart, linesOfEnd) : undefined,
  }
}

/**
 * Runs one of our own programs to its end. Throws {@link ServerFailed} unless it ends well, and in time; `because` makes its
 * message of the program's last words.
 */
export async function runApp(
  options: AppOptions & {
    readonly because?: (words: string) => string
    /** Called with how many events have no key yet, if they are many; with 0 if the last step alone is left. */
    readonly onKeyless?: (events: number) => void
  },
  signal?: AbortSignal,
): Promise<void> {
  const { spawned, logFile, logStart } = await spawnApp(options)
  spawned.child.on('message', (message) => {
    if (isNotice(message) && 'keyless' in message) options.onKeyless?.(message.keyless)
  })
  const giveUp = AbortSignal.any([AbortSignal.timeout(oneShotMs), ...(signal ? [signal] : [])])
  const stop = () => void endSpawned(spawned, 'SIGTERM', drainMs)
  giveUp.addEventListener('abort', stop)
  await spawned.exited
  giveUp.removeEventListener('abort', stop)
  signal?.throwIfAborted()
  if (spawned.ending() === 'exit code 0') return
  const words = await lastWords(logFile, logStart)
  const usual = (text: string) => `${options.name} failed (${spawned.ending()}). Its last words:\n${text}`
  throw new ServerFailed((options.because ?? usual)(words))
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
    args: [...prefix, ...nodeFlags, ...(options.nodeFlags ?? []), options.program, ...(options.args ?? [])],
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
