import { readdir, readFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import { startRedis } from '@sekali/servers/redis-server'
import type { Server } from '@sekali/servers/server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import type { TestProject } from 'vitest/node'
import { makeTemplate } from './template.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
    postgresUrl: string
  }
}

/** A folder that is gone with its scope. */
export const ownFolder = () => temporaryFolder('sekali-test-')

/** vitest's global set-up: one Redis and one PostgreSQL for all files of a project that do not break them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await ownFolder()
  const [redis, postgres] = await Promise.all([
    startRedis({ dir: join(folder.path, 'redis') }),
    startPostgres({ dir: join(folder.path, 'postgres') }),
  ])
  await makeTemplate(postgres.url)
  project.provide('redisUrl', redis.url)
  project.provide('postgresUrl', postgres.url)
  return async () => {
    await Promise.all([redis.stop(), postgres.stop()])
    await folder[Symbol.asyncDispose]()
  }
}

/** A server that a test may kill and start again on the same port and data. */
export interface Breakable extends AsyncDisposable {
  readonly url: string
  /** All that it has logged so far. */
  log(): Promise<string>
  readonly server: Server
  /** kill -9, and wait until it is gone. */
  kill(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

export interface BreakableRedis extends Breakable {
  /** How many bytes its append-only file has by now. */
  fileBytes(): Promise<number>
  /** kill -9; when it starts again, it has lost what it had written beyond `bytes`. */
  tear(bytes: number): Promise<void>
}

export async function ownRedis(args: string[] = []): Promise<BreakableRedis> {
  let folder = ''
  const redis = await breakable('redis', (dir, port) => {
    folder = join(dir, 'appendonlydir')
    return startRedis({ dir, args, ...port })
  })
  const file = async () => {
    const name = (await readdir(folder)).findLast((one) => one.endsWith('.incr.aof'))
    return join(folder, String(name))
  }
  return Object.assign(redis, {
    fileBytes: async () => (await stat(await file())).size,
    tear: async (bytes: number) => {
      await redis.kill()
      await truncate(await file(), bytes)
      await redis.start()
    },
  })
}

export const ownPostgres = (settings: Record<string, string> = {}) =>
  breakable('postgres', (dir, port) => startPostgres({ dir, settings, ...port }))

async function breakable(
  name: 'redis' | 'postgres',
  launch: (dir: string, port: { port?: number }) => Promise<Server>,
): Promise<Breakable> {
  const folder = await ownFolder()
  let server = await launch(folder.path, {})
  const { url, port } = server
  return {
    url,
    log: () => readFile(join(folder.path, `${name}.log`), 'utf8'),
    get server() {
      return server
    },
    kill: async () => {
      server.kill('SIGKILL')
      await server.exited
    },
    stop: () => server.stop(),
    start: async () => {
      server = await launch(folder.path, { port })
    },
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGCONT')
      await server.stop()
      await folder[Symbol.asyncDispose]()
    },
  }
}
