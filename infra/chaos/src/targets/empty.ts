import { randomBytes } from 'node:crypto'
import { runApp, startApp } from '@sekali/local/app-process'
import { programs } from '@sekali/local/repository'
import { freePort } from '@sekali/servers/free-port'
import type { Store } from '@sekali/store/connect'
import type { EmptySystem } from './target.ts'

export interface EmptyOptions {
  readonly migrations: number
  readonly consumers: number
  readonly store: Store
  readonly logDir: string
  readonly urls: { readonly DATABASE_URL: string; readonly REDIS_URL: string }
}

/** Starts migrations, consumers and a gateway at the same moment, on a database that was made the moment before. */
export async function startEmpty(options: EmptyOptions): Promise<EmptySystem> {
  const { store, logDir, urls } = options
  const name = `cold_${randomBytes(4).toString('hex')}`
  await store.pool.query(`CREATE DATABASE ${name}`)
  const database = new URL(urls.DATABASE_URL)
  database.pathname = `/${name}`
  const port = await freePort()
  const env = { ...urls, DATABASE_URL: database.href, REDIS_PREFIX: name, PORT: String(port) }

  const migrating = Array.from({ length: options.migrations }, (_, number) =>
    runApp({ name: `${name}-migrate-${number}`, program: programs.migrate, logDir, env }),
  )
  const settled = Promise.allSettled(migrating)
  const apps = await Promise.all([
    ...Array.from({ length: options.consumers }, (_, number) => {
      const consumer = `cold-${number}`
      const own = { ...env, CONSUMER_NAME: consumer }
      return startApp({ name: `${name}-${consumer}`, program: programs.consumer, logDir, env: own })
    }),
    startApp({ name: `${name}-gateway`, program: programs.gateway, logDir, env }),
  ])
  let stopping = false
  const ended: string[] = []
  for (const { pid, exited } of apps) {
    void exited.then(() => {
      if (!stopping) ended.push(`process ${pid} ended`)
    })
  }
  return {
    url: `http://127.0.0.1:${port}`,
    failures: async () => [
      ...(await settled).flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
      ...ended,
    ],
    [Symbol.asyncDispose]: async () => {
      stopping = true
      await settled
      await Promise.all(apps.map((app) => app.stop()))
      await store.pool.query(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}
