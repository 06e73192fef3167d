import type { Store } from './connect.ts'
import { sql } from './drizzle.ts'
import { asStoreError } from './errors.ts'

/** Resolves when PostgreSQL answers. Rejects with `StoreUnavailable`. */
export async function checkStore(store: Store): Promise<void> {
  await store.db.execute(sql`SELECT 1`).catch((error: unknown) => {
    throw asStoreError(error, 'health check')
  })
}

/**
 * Which of PostgreSQL's settings weaken promise 2, in words. An entry is acknowledged on the strength of a COMMIT,
 * so a commit that a crash can undo is an event that is lost.
 * https://www.postgresql.org/docs/current/wal-async-commit.html
 */
export async function findWeakSettings(store: Store): Promise<string[]> {
  const { rows } = await store.db
    .execute<{ name: string; setting: string }>(
      sql`SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'health check')
    })
  return rows
    .filter(({ setting }) => setting === 'off')
    .map(({ name }) => `${name} is off: a crash of PostgreSQL can undo what was committed`)
}
