import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Redis } from 'ioredis'
import pg from 'pg'
import { type Spread, spreadOf } from './measure/statistics.ts'
import type { Bench } from './system/bench.ts'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGigabytes: number
  readonly system: string
  readonly node: string
  readonly postgres: string
  readonly redis: string
  /** How long it takes until 4 KiB at the end of a file are on disk, where the servers' data are. */
  readonly syncMs: Spread
  /** The load average when the run began. */
  readonly load: number
}

const syncs = 100

export async function describeMachine({ redis, postgres, logDir }: Bench): Promise<Machine> {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    postgres: await postgresVersion(postgres.url),
    redis: await redisVersion(redis.url),
    syncMs: measureSyncs(join(logDir, 'sync')),
    load: loadavg()[0] ?? Number.NaN,
  }
}

async function postgresVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
  await client.end()
  return rows[0]?.server_version ?? 'unknown'
}

async function redisVersion(url: string): Promise<string> {
  const redis = new Redis(url)
  const info = await redis.info('server')
  redis.disconnect()
  return /^redis_version:(.+)$/m.exec(info)?.[1]?.trim() ?? 'unknown'
}

function measureSyncs(path: string): Spread {
  const file = openSync(path, 'a')
  const block = Buffer.alloc(4_096)
  const times = Array.from({ length: syncs }, () => {
    const startedAt = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - startedAt
  })
  closeSync(file)
  return spreadOf(times)
}

/** One line for the documentation. */
export const machineLine = (machine: Machine): string =>
  `${machine.cores} cores (${machine.processor}), ${machine.memoryGigabytes} GB, ${machine.system}, Node ` +
  `${machine.node}, PostgreSQL ${machine.postgres}, Redis ${machine.redis}; a 4 KiB write is on disk after ` +
  `${machine.syncMs.median.toFixed(2)} ms (${machine.syncMs.min.toFixed(2)} – ${machine.syncMs.max.toFixed(2)})`
