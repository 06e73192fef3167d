import { lchown, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { DataInUse, ServerFailed } from '../errors.ts'
import { freePort } from '../free-port.ts'
import { keepPassword } from '../password.ts'
import { lastLines, readTail, sizeOf } from '../process/log-tail.ts'
import { endSpawned, type Spawned, spawnLogged } from '../process/spawned.ts'
import { asWeAre, tryUnprivileged, unprivilegedOwner, userOf } from '../process/unprivileged.ts'
import type { Server } from '../server.ts'
import { waitUntil } from '../wait-until.ts'
import { findRedisBinary } from './binary.mjs'
import { findRunningRedis } from './leftover.ts'
import { pingRedis } from './ping.ts'

export interface RedisOptions {
  readonly dir: string
  /** A free one unless given. */
  readonly port?: number
  /** Where it listens: 127.0.0.1 unless given. */
  readonly host?: string
  /** More command line arguments, for instance `['--maxmemory', '64mb']`. */
  readonly args?: readonly string[]
}

const readyMs = 30_000
const stopMs = 10_000
const portTriesMax = 5

/**
 * Starts a Redis (or Valkey) that keeps every write that it has answered: the write is in the append-only file, and on
 * disk, before the answer. Listens on one address only, with a password. Root runs it as the user nobody.
 */
export async function startRedis(options: RedisOptions): Promise<Server> {
  const dir = resolve(options.dir)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const password = await keepPassword(join(dir, 'password'))
  const host = options.host ?? '127.0.0.1'
  const runsOn = await findRunningRedis(dir)
  if (runsOn !== undefined) {
    throw new DataInUse(`a Redis (port ${runsOn}) runs on ${dir}. Stop it, or use another directory.`)
  }
  const logFile = join(dir, 'redis.log')
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort())
    const logStart = await sizeOf(logFile)
    const place = { host, port, password }
    const spawned = await spawnRedis(dir, place, options.args ?? [], logFile)
    if (await becomesReady(spawned, place, logFile)) return serverOf(spawned, place)
    await endSpawned(spawned, 'SIGKILL', 0)
    const words = await readTail(logFile, logStart)
    // Between asking for a free port and listening on it somebody else may have taken it.
    const raced = options.port === undefined && tries < portTriesMax && /Address already in use/i.test(words)
    if (raced) continue
    throw new ServerFailed(`Redis did not start (${spawned.ending()}). Its last words:\n${lastLines(words)}`)
  }
}

/** Where it listens, and what it asks for. */
interface Place {
  readonly host: string
  readonly port: number
  readonly password: string
}

async function spawnRedis(
  dir: string,
  place: Place,
  args: readonly string[],
  logFile: string,
): Promise<Spawned> {
  const { path, refused } = findRedisBinary()
  if (path === undefined) {
    throw new ServerFailed(
      `no Redis to start: ${refused.join('; ')}. Install Redis 7.0 or newer, or set REDIS_SERVER.`,
    )
  }
  const configFile = join(dir, 'redis.conf')
  await writeWhole(configFile, configOf(dir, place))
  await giveAll(dir)
  const unprivileged = tryUnprivileged(path, dir) ?? asWeAre
  const { command, prefix } = unprivileged.command(path, 'TERM')
  return await spawnLogged({
    command,
    args: [...prefix, configFile, ...args],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    logFile,
    // Redis enters it by itself: spawn() would before the process has the power to.
    cwd: '/',
    ...userOf(unprivileged),
  })
}

/** A disk without room leaves the old file, which also says where a Redis that was left over listens. */
async function writeWhole(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => '')) === text) return
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** Gives this Redis's user the files that a Redis of root's has written before. */
async function giveAll(dir: string): Promise<void> {
  const owner = unprivilegedOwner()
  if (owner === undefined) return
  const inside = await readdir(dir, { recursive: true })
  for (const path of [dir, ...inside.map((name) => join(dir, name))]) await lchown(path, owner.uid, owner.gid)
}

function configOf(dir: string, { host, port, password }: Place): string {
  return [
    `bind ${host}`,
    'protected-mode yes',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    'daemonize no',
    'appendonly yes',
    'appendfsync always',
    'save ""', // the append-only file is the truth; snapshots would only cost
    'maxmemory-policy noeviction', // a full Redis must refuse, never forget
    // The slow log, and the report of a crash, hold commands with their arguments: events.
    'slowlog-log-slower-than -1',
    'crash-log-enabled no',
    'auto-aof-rewrite-percentage 100',
    'auto-aof-rewrite-min-size 64mb',
    '',
  ].join('\n')
}

async function becomesReady(spawned: Spawned, place: Place, logFile: string): Promise<boolean> {
  let answers = 0
  let ready = false
  const isReadyOrEnded = async () => {
    const answer = await pingRedis(place)
    if (answer === 'loading') answers += 1 // it replays its file: slow is not dead
    ready = answer === 'ready' && spawned.ending() === undefined
    return ready || spawned.ending() !== undefined
  }
  await waitUntil(isReadyOrEnded, readyMs, { progress: async () => `${answers} ${await sizeOf(logFile)}` })
  return ready
}

function serverOf(spawned: Spawned, { host, port, password }: Place): Server {
  const stop = () => endSpawned(spawned, 'SIGTERM', stopMs)
  return {
    // With the name of the user, because redis-cli takes the empty one for a name.
    url: `redis://default:${password}@${host}:${port}`,
    port,
    pid: spawned.pid,
    exited: spawned.exited,
    kill: (signal) => void spawned.child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
