// Why a start may need more than one try:
// - After kill -9 of the postmaster its backends need a moment to notice. Until they are gone they hold the
//   old shared memory, and a new postmaster rightly refuses ("pre-existing shared memory block").
// - Its postmaster.pid stays behind. PostgreSQL overlooks it when no process has that id, but takes any
//   process of the same user with that id for itself. So a file whose process is no postgres of this
//   directory is removed.
// - A free port may be taken between asking for it and listening on it.
import { mkdir, readFile, rm } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { DataInUse, ServerFailed } from '../errors.ts'
import { freePort } from '../free-port.ts'
import { keepPassword } from '../password.ts'
import { lastLines, readTail, sizeOf } from '../process/log-tail.ts'
import { endSpawned, type Spawned, spawnLogged } from '../process/spawned.ts'
import { findUnprivileged, userOf } from '../process/unprivileged.ts'
import type { Server } from '../server.ts'
import { waitUntil } from '../wait-until.ts'
import { findPostgresBinaries } from './binaries.ts'
import { ensureCluster, superuser } from './cluster.ts'
import { findRunningPostgres } from './leftover.ts'
import { linkLibraries } from './library-links.ts'
import { readPostmasterFile } from './postmaster-file.ts'

export interface PostgresOptions {
  readonly dir: string
  /** A free one unless given. */
  readonly port?: number
  /** Settings of postgresql.conf that differ from ours. */
  readonly settings?: Readonly<Record<string, string>>
}

const readyMs = 30_000
const stopMs = 10_000
const portTriesMax = 5
const leftoverMs = 15_000
const leftoverStepMs = 100

const ourSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // their default directory may not exist, and their paths must be short
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // A unique key over millions of ids is read and written all over: what does not fit in here costs a turn twice as much.
  shared_buffers: `${Math.floor(Math.min(totalmem() / 8, 2 ** 30) / 2 ** 20)}MB`,
  max_connections: '100',
  max_wal_size: '2GB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C', // a word of its log is matched below
  // Events must not get into its log: no DETAIL and CONTEXT with rows, and no parameters.
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
}

/**
 * Starts a PostgreSQL, in a data directory that is made when it is not there. A commit is on disk before it
 * is answered. Listens on 127.0.0.1 only, with a password. Root runs it as the user nobody.
 */
export async function startPostgres(options: PostgresOptions): Promise<Server> {
  const dir = resolve(options.dir)
  const dataDir = join(dir, 'data')
  const binaries = findPostgresBinaries()
  await linkLibraries(binaries.folder)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const passwordFile = join(dir, 'password')
  const password = await keepPassword(passwordFile)
  const unprivileged = findUnprivileged(binaries.postgres, dir)
  await ensureCluster(dir, binaries, passwordFile, unprivileged)
  await clearPostmasterFile(dir, dataDir)
  const logFile = join(dir, 'postgres.log')
  const startedAt = performance.now()
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort())
    const logStart = await sizeOf(logFile)
    const { command, prefix } = unprivileged.command(binaries.postgres, 'INT')
    const spawned = await spawnLogged({
      command,
      args: [
        ...prefix,
        '-D',
        dataDir,
        '-p',
        String(port),
        ...flagsOf({ ...ourSettings, ...options.settings }),
      ],
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
      logFile,
      ...userOf(unprivileged),
    })
    if (await becomesReady(spawned, dataDir, logFile)) return serverOf(spawned, port, password)
    await endSpawned(spawned, 'SIGQUIT', stopMs)
    const words = await readTail(logFile, logStart)
    const raced = options.port === undefined && tries < portTriesMax && /Address already in use/i.test(words)
    const leftover =
      /pre-existing shared memory block/.test(words) && performance.now() - startedAt < leftoverMs
    if (leftover) await pause(leftoverStepMs)
    else if (!raced) {
      throw new ServerFailed(
        `PostgreSQL did not start (${spawned.ending()}). Its last words:\n${lastLines(words)}`,
      )
    }
  }
}

const urlOf = (port: number, password: string): string =>
  `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`

/** Of a server that somebody else has started in `dir`: where it takes the superuser, and with which password. */
export async function superuserOf(dir: string, port: number): Promise<{ url: string; password: string }> {
  const password = (await readFile(join(dir, 'password'), 'utf8')).trim()
  return { url: urlOf(port, password), password }
}

function flagsOf(settings: Record<string, string>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function clearPostmasterFile(dir: string, dataDir: string): Promise<void> {
  const running = await findRunningPostgres(dir)
  if (running !== undefined) {
    throw new DataInUse(
      `a PostgreSQL (process ${running}) runs on ${dir}. Stop it, or use another directory.`,
    )
  }
  const left = await readPostmasterFile(dataDir)
  if (left !== undefined && idIsInUse(left.pid)) await rm(join(dataDir, 'postmaster.pid'), { force: true })
}

// A zombie counts, as it does for PostgreSQL.
function idIsInUse(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function becomesReady(spawned: Spawned, dataDir: string, logFile: string): Promise<boolean> {
  let ready = false
  const isReadyOrEnded = async () => {
    const file = await readPostmasterFile(dataDir)
    ready = file?.pid === spawned.pid && file.ready
    return ready || spawned.ending() !== undefined
  }
  await waitUntil(isReadyOrEnded, readyMs, { progress: () => sizeOf(logFile) })
  return ready
}

function serverOf(spawned: Spawned, port: number, password: string): Server {
  // A fast shutdown: clients are cut off, nothing is lost.
  const stop = () => endSpawned(spawned, 'SIGINT', stopMs)
  return {
    url: urlOf(port, password),
    port,
    pid: spawned.pid,
    exited: spawned.exited,
    kill: (signal) => void spawned.child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
