import type pg from 'pg'
import { olderName } from '../postgres/process-name.ts'

/** How far the log is with its keys. */
export interface KeysState {
  /** Events of the log. */
  readonly events: number
  /** Those of them that have no key yet. */
  readonly left: number
  /** Whether ids are looked up by key. */
  readonly isUsed: boolean
  /** Whether events without keys are refused, and the index of the ids' texts is gone: the upgrade is over. */
  readonly isRequired: boolean
  /** Processes of an older version that are connected, by name. They need the index of texts. */
  readonly older: readonly string[]
  /** Bytes of the table, without its indexes. */
  readonly tableBytes: number
}

/** Rejects with what pg throws. */
export async function readKeysState(client: Pick<pg.ClientBase, 'query'>): Promise<KeysState> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT a.attnotnull AS required, pg_table_size(a.attrelid) AS bytes,
      (SELECT bool_and(t.keyed) FROM topics t) IS NOT false AND EXISTS (
        SELECT FROM pg_attrdef d JOIN pg_attribute k ON k.attrelid = d.adrelid AND k.attnum = d.adnum
        WHERE d.adrelid = 'topics'::regclass AND k.attname = 'keyed' AND pg_get_expr(d.adbin, d.adrelid) = 'true'
      ) AS used,
      (SELECT coalesce(sum(head), 0) FROM topics) AS events,
      (SELECT coalesce(sum(up_to - seq), 0) FROM key_upgrade) AS left,
      (SELECT string_agg(DISTINCT application_name, ', ' ORDER BY application_name) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE $1) AS older
    FROM pg_attribute a WHERE a.attrelid = 'events'::regclass AND a.attname = 'event_key'`,
    [olderName],
  )
  const [row] = rows
  return {
    events: Number(row?.events),
    left: Number(row?.left),
    isUsed: String(row?.used).startsWith('t'),
    isRequired: String(row?.required).startsWith('t'),
    older: row?.older?.split(', ') ?? [],
    tableBytes: Number(row?.bytes),
  }
}

/**
 * Bytes of disk that the upgrade takes: for good, and more meanwhile, until vacuum has freed what was written before. An
 * event gets 32 bytes, and about 35 in the index; that of the texts, twice as large, goes in the end.
 */
export const diskNeed = ({ left, tableBytes, events }: KeysState) => {
  const kept = left * 67
  return { kept, meanwhile: Math.ceil(kept + (tableBytes * left * vacuumShare * 2) / Math.max(events, 1)) }
}

/** After this share of the log has been written anew, vacuum makes room of what it was before. */
export const vacuumShare = 0.1
