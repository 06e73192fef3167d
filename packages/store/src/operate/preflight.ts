import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { toPrimary, upgrade, versionNumberMin } from './health.ts'

interface Found extends Record<string, unknown> {
  readonly version: string
  readonly is_old: boolean
  readonly is_replica: boolean
  readonly is_read_only: boolean
  readonly is_ours: boolean
  readonly foreign_table: string | null
  readonly may_create: boolean
}

/**
 * What keeps the tables from being made, or brought up to date, in a database that answers; in words. It looks and changes
 * nothing. Rejects with `StoreUnavailable`.
 */
export async function checkBeforeMigration(store: Store): Promise<string[]> {
  const { rows } = await store.db
    .execute<Found>(
      sql`SELECT current_setting('server_version') AS version,
        current_setting('server_version_num')::integer < ${versionNumberMin} AS is_old,
        pg_is_in_recovery() AS is_replica,
        current_setting('default_transaction_read_only') = 'on' AS is_read_only,
        to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS is_ours,
        (SELECT min(tablename) FROM pg_tables WHERE schemaname = 'public'
          AND tablename IN ('topics', 'events', 'spans', 'conflicts', 'dead_letters', 'entry_ids')) AS foreign_table,
        has_database_privilege(current_database(), 'CREATE') AND has_schema_privilege('public', 'CREATE')
          AS may_create`,
    )
    .catch((error: unknown) => {
      throw asStoreError(error, 'look at the database')
    })
  const [found] = rows
  if (found === undefined) return []
  const { version, is_old, is_replica, is_read_only, is_ours, foreign_table, may_create } = found
  return [
    is_old && `PostgreSQL ${version} is too old: ${upgrade}`,
    is_replica && `PostgreSQL is a replica, which takes no writes: ${toPrimary}`,
    is_read_only &&
      'the database is read-only for this user: see default_transaction_read_only of server, database and role',
    !is_ours &&
      foreign_table !== null &&
      `the database has a table ${foreign_table} that Sekali has not made: ${ownDatabase}`,
    !is_ours && !may_create && `this user may not make tables in the database: ${ownRights}`,
  ].filter((problem) => problem !== false)
}

const ownDatabase = 'give Sekali a database of its own: CREATE DATABASE sekali, and name that in DATABASE_URL'
const ownRights = 'make it the owner: ALTER DATABASE … OWNER TO …, or CREATE DATABASE sekali OWNER …'
