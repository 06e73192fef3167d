import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { eachRow } from '../postgres/each-row.ts'
import { topics } from '../postgres/schema.ts'

/**
 * How far topics have come: those that there are of the names, or whose names match the expression, or all; at most so
 * many. Rejects with `StoreUnavailable`.
 */
export async function readHeads(
  store: Store,
  which?: Iterable<string> | RegExp,
  max?: number,
): Promise<Head[]> {
  const heads: Head[] = []
  await eachHead(store, which, (head) => void heads.push(head), max)
  return heads
}

/** Gives each of them as it arrives: of many topics they would be a long list, and a long pause to make it. */
export async function eachHead(
  store: Store,
  which: Iterable<string> | RegExp | undefined,
  onHead: (head: Head) => void,
  max?: number,
): Promise<void> {
  const chosen =
    which instanceof RegExp
      ? sql`name ~ ${which.source}`
      : which && sql`name = ANY (${sql.param([...which])}::text[])` // a parameter a name would be too many
  const statement = sql`
    SELECT ${headColumns} FROM ${topics} t WHERE ${chosen ?? sql`true`} LIMIT ${max ?? null}::bigint`
  await eachRow(store, 'read of heads', statement, (row) => onHead(toHead(row as HeadRow)))
}

/** A moment of the database, for {@link eachChangedHead}. */
export type HeadsMark = bigint

/**
 * Gives the heads that may have changed since a mark, or all without one, and resolves with the mark of this moment.
 * Rejects with `StoreUnavailable`.
 *
 * The mark is the oldest transaction that was still running. What has been committed since was written by that one or
 * by younger ones: PostgreSQL keeps with every row which wrote it. Rows that a restore brings are of another count, so
 * now and then all have to be read. https://www.postgresql.org/docs/current/functions-info.html
 */
export async function eachChangedHead(
  store: Store,
  since: HeadsMark | undefined,
  onHead: (head: Head) => void,
): Promise<HeadsMark> {
  // By age, because the number in a row is only the lower half.
  const isChanged = since === undefined ? sql`true` : sql`age(t.xmin) <= age(${String(since)}::xid8::xid)`
  let mark = 0n
  await eachRow(
    store,
    'read of changed heads',
    sql`
      SELECT now.mark, ${headColumns}
      FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS mark) now LEFT JOIN ${topics} t ON ${isChanged}`,
    ([text, ...row]) => {
      mark = BigInt(text ?? 0)
      if (row[0] !== null) onHead(toHead(row as unknown as HeadRow))
    },
  )
  // The database is an older one, and its rows younger than the mark are all of them.
  return since !== undefined && mark < since ? await eachChangedHead(store, undefined, onHead) : mark
}

// Of a topic whose stream was retired nothing of the next one is accounted for; see livePosition.
const headColumns = sql.raw("t.id, t.name, t.head, CASE WHEN t.retired THEN '0-0' ELSE t.position END")

type HeadRow = readonly [id: string, name: string, head: string, position: string]

const toHead = ([id, name, head, position]: HeadRow): Head => ({
  topicId: Number(id),
  topic: name as TopicName,
  head: Number(head),
  position: position as Position,
})
