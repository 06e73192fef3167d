import { fileURLToPath } from 'node:url'
import { placeOf } from '@sekali/core/place'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import type pg from 'pg'
import { drizzle } from './drizzle.ts'
import { withOwnClient } from './own-client.ts'

const migrationsFolder = fileURLToPath(placeOf(import.meta.url, '../../migrations', './migrations'))

// Any number, as long as nothing else in the database locks on it.
const lockKey = 7_355_254_192n

/** Waits until nobody else brings this database's schema or its rights up to date; the session's end releases it. */
export async function lockSchema(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [lockKey])
}

/**
 * Brings the schema up to date. Any number of processes may call it at once: Drizzle's migrator reads what has been
 * applied before it begins its transaction, so two of them would apply the same file; here one connection holds an
 * advisory lock for the whole run and the others wait; the session's end releases it. Rejects with `StoreUnavailable`.
 */
export const migrate = (url: string): Promise<void> =>
  withOwnClient(url, 'migration', async (client) => {
    await lockSchema(client)
    await migrateWithDrizzle(drizzle(client), { migrationsFolder })
  })
