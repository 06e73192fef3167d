import { fileURLToPath } from 'node:url'
import { placeOf } from '@sekali/core/place'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import type pg from 'pg'
import { drizzle } from './drizzle.ts'
import { liftTimeouts, withOwnClient } from './own-client.ts'
import { untilUnlocked } from './until-unlocked.ts'

const migrationsFolder = fileURLToPath(placeOf(import.meta.url, '../../migrations', './migrations'))

// Any number, as long as nothing else in the database locks on it.
const lockKey = 7_355_254_192n

/** Waits until nobody else brings this database's schema or its rights up to date; the session's end releases it. */
export async function lockSchema(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [lockKey])
}

/** How far a migration is, for people who wait. */
export interface MigrationProgress {
  /** Which of those that are due runs now, from 1. */
  readonly migration: number
  readonly of: number
  /** Bytes of the largest tables before, the largest first: what takes long takes long because of these. */
  readonly tables: Readonly<Record<string, number>>
}

/**
 * Brings the schema up to date. Any number of processes may call it at once: Drizzle's migrator reads what has been
 * applied before it begins its transaction, so two of them would apply the same file; here one connection holds an
 * advisory lock for the whole run and the others wait; the session's end releases it. Rejects with `StoreUnavailable`.
 */
export const migrate = (
  url: string,
  onProgress: (progress: MigrationProgress) => void = () => undefined,
): Promise<void> =>
  withOwnClient(url, 'migration', async (client) => {
    await liftTimeouts(client)
    await lockSchema(client)
    const of = await countDue(client)
    const tables = of === 0 ? {} : await readSizes(client)
    let migration = 1
    if (of > 0) onProgress({ migration, of, tables })
    const logQuery = (query: string) => {
      // Drizzle notes each behind its last statement, and says nothing else of how far it is.
      if (!/^insert into .*__drizzle_migrations/i.test(query.trimStart()) || migration >= of) return
      migration += 1
      onProgress({ migration, of, tables })
    }
    const db = drizzle(client, { logger: { logQuery } })
    await client.query(`SET lock_timeout = '3s'`) // for all of them, as untilUnlocked wants it
    await untilUnlocked(() => {
      migration = 1
      return migrateWithDrizzle(db, { migrationsFolder })
    })
  })

/** When the newest of this version's migrations was made, by which Drizzle tells them apart; milliseconds since 1970. */
export const newestMigration = (): number =>
  Math.max(...readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis))

/** How many migrations have not been applied. Drizzle tells by their time. */
async function countDue(client: pg.Client): Promise<number> {
  const all = readMigrationFiles({ migrationsFolder })
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS exists`,
  )
  if (!rows[0]?.exists) return all.length
  const last = await client.query<{ at: string | null }>(
    'SELECT max(created_at) AS at FROM drizzle.__drizzle_migrations',
  )
  return all.filter(({ folderMillis }) => folderMillis > Number(last.rows[0]?.at ?? 0)).length
}

async function readSizes(client: pg.Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ name: string; bytes: string }>(`
    SELECT c.oid::regclass::text AS name, pg_total_relation_size(c.oid) AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('public', 'projections') ORDER BY 2 DESC LIMIT 3`)
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)]))
}
