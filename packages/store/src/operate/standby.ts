/**
 * How far a standby is behind, in bytes of PostgreSQL's log of changes: what the primary has written, and what the standby
 * has made of it. Both are counted from the beginning of the system, so they can be compared across servers.
 * https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP
 */
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { type Lineage, lineageColumns, lineageOf } from '../postgres/lineage.ts'

/** What a primary has written. */
export interface Written extends Lineage {
  readonly bytes: number
}

/** What a standby has of it. */
export interface Replayed extends Written {
  /** How long ago what it has last was committed, by both servers' clocks, in seconds; `undefined` if nobody knows. */
  readonly ageSeconds: number | undefined
}

const bytesUpTo = (lsn: string) => `(${lsn} - '0/0'::pg_lsn)::bigint`

/** `undefined` of a standby. Rejects with `StoreUnavailable`. */
export async function readWritten(store: Store): Promise<Written | undefined> {
  const [row] = await read(
    store,
    `SELECT ${lineageColumns}, ${bytesUpTo('pg_current_wal_lsn()')} AS bytes WHERE NOT pg_is_in_recovery()`,
  )
  return row && { ...lineageOf(row), bytes: Number(row.bytes) }
}

/**
 * Of a primary it is what it has written. A standby says on which timeline it is once it streams, for who may read its
 * statistics (pg_read_all_stats); otherwise with its next restart point, some minutes after it has changed. Rejects with
 * `StoreUnavailable`.
 */
export async function readReplayed(store: Store): Promise<Replayed | undefined> {
  const primary = await readWritten(store)
  if (primary !== undefined) return { ...primary, ageSeconds: 0 }
  const [row] = await read(
    store,
    `SELECT (SELECT system_identifier FROM pg_control_system()) AS system,
      upper(to_hex(greatest(
        (SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
        (SELECT received_tli FROM pg_stat_wal_receiver)))) AS timeline,
      ${bytesUpTo('pg_last_wal_replay_lsn()')} AS bytes,
      extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) AS age
    WHERE pg_is_in_recovery()`,
  )
  if (row === undefined) return undefined // promoted between the two
  const age = row.age === null ? undefined : Math.max(0, Number(row.age))
  return { ...lineageOf(row), bytes: Number(row.bytes), ageSeconds: age }
}

async function read(store: Store, text: string): Promise<Record<string, unknown>[]> {
  const { rows } = await store.pool.query<Record<string, unknown>>(text).catch((error: unknown) => {
    throw asStoreError(error, 'look at how far a standby is')
  })
  return rows
}
