/**
 * Reads how far topics have come. There may be tens of thousands of them, and a row of pg's for each cost the gateway 13 µs,
 * all in one pass of the event loop. So PostgreSQL makes one text of a few hundred heads, a line for each; and they are
 * given out some at a time, with everything else in between.
 */
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { eachLine } from '../postgres/each-line.ts'
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

/** Gives each of them once all are read: of many topics they would be a long list, and a long pause to make it. */
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
    SELECT ${bundleOfHeads}
    FROM (SELECT * FROM ${topics} WHERE ${chosen ?? sql`true`} LIMIT ${max ?? null}::bigint) t GROUP BY ${bundle}`
  const bundles: string[] = []
  await eachRow(store, 'read of heads', statement, ([text]) => void bundles.push(text ?? ''))
  await eachLine(bundles, (line) => onHead(toHead(line)))
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
  const bundles: string[] = []
  await eachRow(
    store,
    'read of changed heads',
    sql`
      SELECT now.mark, ${bundleOfHeads}
      FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS mark) now LEFT JOIN ${topics} t ON ${isChanged}
      GROUP BY now.mark, ${bundle}`,
    ([text, heads]) => {
      mark = BigInt(text ?? 0)
      if (heads) bundles.push(heads)
    },
  )
  await eachLine(bundles, (line) => onHead(toHead(line)))
  // The database is an older one, and its rows younger than the mark are all of them.
  return since !== undefined && mark < since ? await eachChangedHead(store, undefined, onHead) : mark
}

/** Topics whose ids are near each other; of any other division PostgreSQL would have to keep count. */
const bundle = sql.raw('t.id / 256')

// Neither a name nor a position has a space in it. Of a topic whose stream was retired nothing of the next one is accounted
// for; see livePosition.
const bundleOfHeads = sql.raw(`string_agg(
  concat_ws(' ', t.id, t.head, CASE WHEN t.retired THEN '0-0' ELSE t.position END, t.epoch, t.name), E'\\n')`)

function toHead(line: string): Head {
  const [id, head, position, epoch, name] = line.split(' ')
  return {
    topicId: Number(id),
    topic: name as TopicName,
    head: Number(head),
    epoch: Number(epoch),
    position: position as Position,
  }
}
