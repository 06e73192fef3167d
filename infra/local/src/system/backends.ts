/** PostgreSQL and Redis, as a stack starts them. */
import { totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { stopLeftoverPostgres } from '@sekali/servers/postgres-leftover'
import { startPostgres } from '@sekali/servers/postgres-server'
import { stopLeftoverRedis } from '@sekali/servers/redis-leftover'
import { startRedis } from '@sekali/servers/redis-server'
import { givenBackend, ownBackend } from './backend.ts'

interface BackendOptions {
  readonly dir: string
  /** Used instead of a PostgreSQL of our own. */
  readonly databaseUrl?: string | undefined
  /** Used instead of a Redis of our own. */
  readonly redisUrl?: string | undefined
}

/** Stops servers of ours that a start before has left. */
export async function stopLeftovers(
  dir: string,
  onEvent: (part: string, what: string) => void,
): Promise<void> {
  const left = 'was left over from before, and is stopped'
  if (await stopLeftoverRedis(join(dir, 'redis'))) onEvent('Redis', left)
  if (await stopLeftoverPostgres(join(dir, 'postgres'))) onEvent('PostgreSQL', left)
}

/** PostgreSQL and Redis: our own, or those that are given. */
export async function startBackends(
  parts: AsyncDisposableStack,
  options: BackendOptions,
  step: (part: string, what: string) => void,
  onChange: (part: string) => (reason?: string) => void,
) {
  const { dir, databaseUrl, redisUrl } = options
  step('PostgreSQL', databaseUrl ? 'is the one that DATABASE_URL names' : 'is starting')
  const postgres = parts.use(
    databaseUrl
      ? givenBackend(databaseUrl)
      : await ownBackend(
          (port) => startPostgres({ dir: join(dir, 'postgres'), ...port }),
          onChange('PostgreSQL'),
        ),
  )
  step('Redis', redisUrl ? 'is the one that REDIS_URL names' : 'is starting')
  const redis = parts.use(
    redisUrl
      ? givenBackend(redisUrl)
      : await ownBackend(
          (port) => startRedis({ dir: join(dir, 'redis'), args: ['--maxmemory', redisMemory()], ...port }),
          onChange('Redis'),
        ),
  )
  return { postgres, redis }
}

/** A quarter of the machine's memory, or of the container's: of what is left others need some, and Redis to rewrite its file. */
function redisMemory(): string {
  const constrained = process.constrainedMemory()
  const machine = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem()
  return String(Math.max(redisBytesMin, Math.floor(machine / 4)))
}

const redisBytesMin = 512 * 1024 * 1024
