import { type SQL, sql } from 'drizzle-orm'

/**
 * A time in the form of every time of ours, `YYYY-MM-DDTHH:MM:SS.ffffffZ`. PostgreSQL forms it, because a JavaScript
 * Date has no microseconds.
 */
export const utc = (column: SQL): SQL =>
  sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
