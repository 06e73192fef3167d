import { fileURLToPath } from 'node:url'
import { placeOf } from '@sekali/core/place'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import type pg from 'pg'
import { drizzle } from './drizzle.ts'
import { beginForLong, liftTimeouts, withOwnClient } from './own-client.ts'
import { untilUnlocked } from './until-unlocked.ts'

const migrationsFolder = fileURLToPath(placeOf(import.meta.url, '../../migrations', './migrations'))

// Any number, as long as nothing else in the database locks on it.
const lockKey = 7_355_254_192n

/**
 * Waits until nobody else brings this database's schema or its rights up to date; the end of the transaction releases it. A lock
 * of the session would stay for good behind a pooler: the next statement has another session.
 */
export async function lockSchema(client: pg.PoolClient): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey])
}

/** Locks the schema for as long as the connections last, however long a migration on another one of them takes. */
async function keepSchemaLocked(holder: pg.PoolClient): Promise<void> {
  await holder.query(beginForLong)
  await lockSchema(holder)
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
 * advisory lock for the whole run and the others wait. Rejects with `StoreUnavailable`.
 */
export const migrate = (
  url: string,
  onProgress: (progress: MigrationProgress) => void = () => undefined,
): Promise<void> =>
  withOwnClient(url, 'migration', async (client, another) => {
    await liftTimeouts(client)
    await keepSchemaLocked(await another())
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
    const db = drizzle(withSettings(client), { logger: { logQuery } })
    await untilUnlocked(() => {
      migration = 1
      return migrateWithDrizzle(db, { migrationsFolder })
    })
  })

/**
 * For Drizzle, whose transaction is to wait for locks as untilUnlocked wants it, and to make its tables in `public`, also for a
 * user who has the name of a schema: not its session, which may be others' next.
 */
function withSettings(client: pg.PoolClient): pg.PoolClient {
  const query = async (...args: Parameters<pg.PoolClient['query']>): Promise<unknown> => {
    const answer: unknown = await client.query(...args)
    const [{ text }] = args as unknown as [{ readonly text: string }]
    if (/^begin/i.test(text))
      await client.query("SET LOCAL lock_timeout = '3s'; SET LOCAL search_path = public")
    return answer
  }
  return Object.create(client, { query: { value: query } }) as pg.PoolClient
}

/** When the newest of this version's migrations was made, by which Drizzle tells them apart; milliseconds since 1970. */
export const newestMigration = (): number =>
  Math.max(...readMigrationFiles({ migrationsFolder }).map(({ folderMillis }) => folderMillis))

/** How many migrations have not been applied. Drizzle tells by their time. */
async function countDue(client: pg.PoolClient): Promise<number> {
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

async function readSizes(client: pg.PoolClient): Promise<Record<string, number>> {
  const { rows } = await client.query<{ name: string; bytes: string }>(`
    SELECT c.oid::regclass::text AS name, pg_total_relation_size(c.oid) AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname IN ('public', 'projections') ORDER BY 2 DESC LIMIT 3`)
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, Number(bytes)]))
}
