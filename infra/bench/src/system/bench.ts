import { chmod, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import { startRedis } from '@sekali/servers/redis-server'
import type { Server } from '@sekali/servers/server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import pg from 'pg'
import type { Processes } from '../measure/processor-time.ts'
import { type Databases, databasesOf } from './databases.ts'

/** What all sides of a run share: the same two servers, set up as `npm start` does it. */
export interface Bench extends AsyncDisposable, Databases {
  readonly redis: Server
  readonly postgres: Server
  readonly servers: Processes
  readonly logDir: string
  /** What all programs that are measured get in their environment. */
  readonly appEnv: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** A size, or a tenth of it in a quick run. */
  scaled(count: number): number
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
  return {
    redis,
    postgres,
    servers: { redis: redis.pid, postgres: { family: postgres.pid } },
    logDir,
    appEnv: { LOG_LEVEL: 'warn', ...(profileDir === undefined ? {} : profiling(profileDir)) },
    signal,
    scaled: (count) => (quick ? Math.ceil(count / 10) : count),
    ...databasesOf(postgres.url, admin),
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
