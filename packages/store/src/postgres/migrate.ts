import { fileURLToPath } from 'node:url'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { drizzle } from './drizzle.ts'
import { asStoreError } from './errors.ts'

const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

// Any number, as long as nothing else in the database locks on it.
const lockKey = 7_355_254_192n

/**
 * Brings the schema up to date. Any number of processes may call it at once: Drizzle's migrator reads what has been
 * applied before it begins its transaction, so two of them would apply the same file; here one connection holds an
 * advisory lock for the whole run and the others wait. Rejects with `StoreUnavailable`.
 */
export async function migrate(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'sekali-migrate',
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => undefined) // the query in flight rejects as well
  try {
    await client.connect()
    await client.query('SELECT pg_advisory_lock($1)', [lockKey])
    await migrateWithDrizzle(drizzle(client), { migrationsFolder })
  } catch (error) {
    throw asStoreError(error, 'migration')
  } finally {
    await client.end().catch(() => undefined) // the session's end releases the lock
  }
}
