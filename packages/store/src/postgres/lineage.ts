import type { Store } from './connect.ts'
import { asStoreError } from './errors.ts'

/**
 * Which PostgreSQL it is: all copies of one, backups and standbys, have its system identifier. A standby that is promoted
 * begins a timeline, a number that is larger than all that it has seen. So of two that take writes, the one on the lower
 * timeline is an old primary that was left behind, and what it stores will be lost.
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES
 */
export interface Lineage {
  readonly system: string
  readonly timeline: number
}

/**
 * Its columns, for a statement that runs on a primary. Sub-selects, because those are run once for all rows, and not at all
 * where there are none. Read them in the transaction that they are to hold for: behind a pooler, or an address that moves, what
 * was true at connect proves nothing.
 */
export const lineageColumns = `
  (SELECT system_identifier FROM pg_control_system()) AS system,
  (SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)) AS timeline`

/** Of a row that has these columns. */
export const lineageOf = ({ system, timeline }: Readonly<Record<string, unknown>>): Lineage => ({
  system: String(system),
  timeline: Number.parseInt(String(timeline), 16),
})

/** Of the primary that the store leads to; `undefined` if it is a standby. Rejects with `StoreUnavailable`. */
export async function readLineage(store: Store): Promise<Lineage | undefined> {
  const { rows } = await store.pool
    .query<Record<string, unknown>>(`SELECT ${lineageColumns} WHERE NOT pg_is_in_recovery()`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'look at the timeline')
    })
  return rows[0] && lineageOf(rows[0])
}
