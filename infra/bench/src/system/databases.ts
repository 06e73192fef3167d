import { migrate } from '@sekali/store/migrate'
import type pg from 'pg'
import { fill, type Log } from './fill.ts'

/** The databases that measurements have for themselves on one server. */
export interface Databases {
  /** Makes a database of its own, with our tables unless told otherwise, and returns its URL. */
  createDatabase(options?: { readonly migrated: boolean }): Promise<string>
  /** A database with such a log. It is the same one for all who ask for the same, until databases are dropped. */
  filled(log: Log): Promise<string>
  /** Such a log in a database of its own, which is dropped at the end of the scope. */
  fresh(log: Log): Promise<AsyncDisposable & { readonly url: string }>
  /** Drops what was made: autovacuum would go on with it while something else is measured. */
  dropDatabases(): Promise<void>
}

export function databasesOf(serverUrl: string, admin: pg.Pool): Databases {
  let databases = 0
  const kept = new Set<string>()
  const filled = new Map<string, Promise<string>>()
  const createDatabase = async ({ migrated } = { migrated: true }) => {
    databases += 1
    const name = `bench_${databases}`
    await admin.query(`CREATE DATABASE ${name}`)
    kept.add(name)
    const url = new URL(serverUrl)
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
  }
}
