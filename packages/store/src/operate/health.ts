import { type Store, withTransaction } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { lineageColumns } from '../postgres/lineage.ts'

/** What keeps Sekali from working with a PostgreSQL that answers, in words. Rejects with `StoreUnavailable`. */
export async function checkStore(store: Store): Promise<string[]> {
  const { rows } = await store.db
    .execute<{ version: string; is_old: boolean; is_replica: boolean; has_schema: boolean }>(
      sql`SELECT current_setting('server_version') AS version,
        current_setting('server_version_num')::integer < ${versionNumberMin} AS is_old,
        pg_is_in_recovery() AS is_replica, to_regclass('topics') IS NOT NULL AS has_schema`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'health check')
    })
  return rows.flatMap(({ version, is_old, is_replica, has_schema }) => [
    ...(is_old ? [`PostgreSQL ${version} is too old: ${upgrade}`] : []),
    ...(is_replica ? [`PostgreSQL is a replica, which takes no writes: ${toPrimary}`] : []),
    ...(has_schema ? [] : [`the tables are missing: ${makeSchema}`]),
  ])
}

/**
 * The same for who writes: it is tried whether PostgreSQL takes what turns write, of the log, of projections or of deliveries. Nothing is
 * written: the statements concern no row, and PostgreSQL still refuses them to whoever may not do that, to who may only
 * read, and while somebody holds the table. The number that the transaction takes has its COMMIT wait for the disk, and
 * for standbys, as a turn's does. Rejects with `StoreUnavailable`.
 */
export async function checkTurns(store: Store, of: keyof typeof trials): Promise<string[]> {
  const problems = await checkStore(store)
  if (problems.length > 0) return problems
  await withTransaction(store, 'trial of a turn', async ({ $client }) => {
    await $client.query(['SELECT pg_current_xact_id()', ...trials[of]].join('; '))
  })
  return []
}

const trials = {
  log: [
    `SELECT ${lineageColumns}`,
    'SELECT FROM topics WHERE false FOR UPDATE SKIP LOCKED',
    'SELECT pepper FROM installation WHERE false',
    'INSERT INTO events SELECT * FROM events WHERE false',
    'UPDATE topics SET head = head WHERE false',
  ],
  projections: [
    'SELECT FROM events WHERE false',
    'SELECT FROM projections.generations WHERE false FOR UPDATE SKIP LOCKED',
    'INSERT INTO projections.states SELECT * FROM projections.states WHERE false',
    'UPDATE projections.checkpoints SET seq = seq WHERE false',
  ],
  deliveries: [
    'SELECT FROM subscriptions.endpoints WHERE false',
    'SELECT FROM subscriptions.secrets WHERE false',
  ],
} as const

export const versionNumberMin = 150_000
export const upgrade = 'upgrade to PostgreSQL 15 or newer'
export const toPrimary = 'point DATABASE_URL at the primary'
export const makeSchema = 'run node apps/consumer/src/migrate.ts, or restart npm start'

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
