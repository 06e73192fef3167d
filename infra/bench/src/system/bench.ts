import { chmod, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import { startRedis } from '@sekali/servers/redis-server'
import type { Server } from '@sekali/servers/server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { migrate } from '@sekali/store/migrate'
import pg from 'pg'
import type { Processes } from '../measure/processor-time.ts'
import { fill, type Log } from './fill.ts'

/** What all sides of a run share: the same two servers, set up as `npm start` does it. */
export interface Bench extends AsyncDisposable {
  readonly redis: Server
  readonly postgres: Server
  readonly servers: Processes
  readonly logDir: string
  /** What all programs that are measured get in their environment. */
  readonly appEnv: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** A size, or a tenth of it in a quick run. */
  scaled(count: number): number
  /** Makes a database of its own, with our tables unless told otherwise, and returns its URL. */
  createDatabase(options?: { readonly migrated: boolean }): Promise<string>
  /** A database with such a log. It is the same one for all who ask for the same, until databases are dropped. */
  filled(log: Log): Promise<string>
  /** Such a log in a database of its own, which is dropped at the end of the scope. */
  fresh(log: Log): Promise<AsyncDisposable & { readonly url: string }>
  /** Drops what was made: autovacuum would go on with it while something else is measured. */
  dropDatabases(): Promise<void>
  /** Writes out what PostgreSQL still owes its disk, so that no measurement pays for the one before it. */
  checkpoint(): Promise<void>
}

export async function openBench(options: {
  readonly quick: boolean
  /** Where to keep V8 profiles of the gateways, consumers and rivals. */
  readonly profileDir?: string | undefined
  readonly signal: AbortSignal
}): Promise<Bench> {
  const { quick, profileDir, signal } = options
  if (profileDir !== undefined) await makeOpenFolder(profileDir)
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(await temporaryFolder('sekali-bench-'))
  const logDir = join(folder.path, 'logs')
  await mkdir(logDir)
  const redis = parts.use(await startRedis({ dir: join(folder.path, 'redis') }))
  const postgres = parts.use(await startPostgres({ dir: join(folder.path, 'postgres') }))
  const admin = new pg.Pool({ connectionString: postgres.url, max: 1 })
  admin.on('error', () => undefined) // the query that needs it says so
  parts.defer(() => admin.end())
  const opened = parts.move()
  let databases = 0
  const kept = new Set<string>()
  const filled = new Map<string, Promise<string>>()
  const createDatabase = async ({ migrated } = { migrated: true }) => {
    databases += 1
    const name = `bench_${databases}`
    await admin.query(`CREATE DATABASE ${name}`)
    kept.add(name)
    const url = new URL(postgres.url)
    url.pathname = `/${name}`
    if (migrated) await migrate(url.href)
    return url.href
  }
  const drop = async (name: string) => {
    if (kept.delete(name)) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
  }
  const fresh = async (log: Log) => {
    const url = await createDatabase()
    await fill(url, log)
    return { url, [Symbol.asyncDispose]: () => drop(new URL(url).pathname.slice(1)) }
  }
  return {
    redis,
    postgres,
    servers: { redis: redis.pid, postgres: { family: postgres.pid } },
    logDir,
    appEnv: { LOG_LEVEL: 'warn', ...(profileDir === undefined ? {} : profiling(profileDir)) },
    signal,
    scaled: (count) => (quick ? Math.ceil(count / 10) : count),
    createDatabase,
    fresh,
    filled: (log) => {
      const key = JSON.stringify(log)
      const url = filled.get(key) ?? fresh(log).then((made) => made.url)
      filled.set(key, url)
      return url
    },
    dropDatabases: async () => {
      for (const name of kept) await drop(name)
      filled.clear()
    },
    checkpoint: async () => {
      await admin.query('CHECKPOINT')
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** A folder that all may write to: what root starts here runs as nobody. */
async function makeOpenFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  await chmod(dir, 0o777)
}

const profiling = (dir: string) => ({
  NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${JSON.stringify(resolve(dir))}`,
})
