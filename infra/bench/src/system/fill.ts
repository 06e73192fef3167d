import { availableParallelism } from 'node:os'
import pg from 'pg'
import { firstIdMs, type IdKind } from '../events.ts'
import { olderTable } from './older-table.ts'

export interface Log {
  readonly topics: readonly string[]
  /** As many in each topic. */
  readonly events: number
  /** Random UUIDs unless given. */
  readonly ids?: IdKind
  /** Twenty unless given. */
  readonly sources?: number
  /** The payloads are those of an order, or a number alone, as the jobs of a queue have that does nothing. */
  readonly payloads?: 'order' | 'number'
  /** The tables of d25da9c in the place of ours: its index of ids is of their texts. */
  readonly older?: boolean
}

/** The events of a topic have consecutive timestamps, this far apart. */
const firstTime = '2025-01-01T00:00:00Z'
const apartMs = 7

/** The timestamp of a topic's event number `n`. */
export const timeOf = (n: number): string => new Date(Date.parse(firstTime) + n * apartMs).toISOString()

/**
 * Fills a database with events, and leaves it as after a long life: indexed, summarized, analyzed and vacuumed. The
 * indexes are taken off meanwhile and put on again, which is five times as fast.
 */
export async function fill(
  url: string,
  { topics: names, events, ids = 'random', sources = 20, payloads = 'order', older }: Log,
): Promise<void> {
  const perTopic = Math.ceil(events / names.length)
  await using pool = disposable(new pg.Pool({ connectionString: url, max: availableParallelism() }))
  if (older) await pool.query(olderTable)
  const { rows: constraints } = await pool.query<{ name: string; definition: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = 'events'::regclass AND contype IN ('p', 'u')`,
  )
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
    WHERE i.indrelid = 'events'::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)`,
  )
  for (const { name } of constraints) await pool.query(`ALTER TABLE events DROP CONSTRAINT "${name}"`)
  for (const { name } of indexes) await pool.query(`DROP INDEX ${name}`)
  const { rows: topics } = await pool.query<{ id: number }>(
    'INSERT INTO topics (name, head) SELECT name, $2::bigint FROM unnest($1::text[]) AS name RETURNING id',
    [names, perTopic],
  )
  const values = valuesWith(sources, payloadOf[payloads])
  const insert = older ? insertWithout(ids, values) : insertWithKeys(ids, values)
  await Promise.all(topics.map(({ id }) => pool.query(insert, [String(id), perTopic])))
  await pool.query(summarize(sources))
  const again = [
    ...constraints.map(({ name, definition }) => `ALTER TABLE events ADD CONSTRAINT "${name}" ${definition}`),
    ...indexes.map(({ definition }) => definition),
  ]
  await Promise.all(again.map((statement) => pool.query(`SET maintenance_work_mem = '256MB'; ${statement}`)))
  await pool.query('VACUUM ANALYZE events, spans')
}

const timeAt = (n: string) => `timestamptz '${firstTime}' + ${n} * interval '${apartMs} ms'`

// md5 and concatenation, because gen_random_uuid() and json_build_object() would take as long again as all the rest.
const randomOf = (what: string) => `md5($1::text || '${what}' || n)`
const columns = 'topic_id, seq, event_id, "timestamp", source, payload, received_at, stored_at'
const payloadOf: Readonly<Record<NonNullable<Log['payloads']>, string>> = {
  order: `'{"source_seq":' || n || ',"order_id":"ORD-123456","amount":1250000,"currency":"IDR","express":false}'`,
  number: `'{"n":' || n || '}'`,
}
const valuesWith = (sources: number, payload: string) =>
  `$1::text::integer, n, id, ${timeAt('n')}, 'node-' || n % ${sources}, (${payload})::json, ${timeAt('n')}, ${timeAt('n')}`

/** The id of a topic's event number `n`. */
const idOf: Readonly<Record<IdKind, string>> = {
  random: `${randomOf('-')}::uuid::text`,
  v7: `(lpad(to_hex(${firstIdMs} + n), 12, '0') || '7' || substr(${randomOf('-')}, 14, 3) || 'a' ||
    substr(${randomOf('-')}, 18))::uuid::text`,
  sequential: `'event-' || n`,
}

const numbersWith = (ids: IdKind) =>
  `(SELECT n, ${idOf[ids]} AS id FROM generate_series(1, $2::bigint) AS n) AS numbers`

const insertWithout = (ids: IdKind, values: string) =>
  `INSERT INTO events (${columns}) SELECT ${values} FROM ${numbersWith(ids)}`

/** The key is what a consumer would have made. The tag is nobody's: none of these events comes again. */
const insertWithKeys = (ids: IdKind, values: string) => `
  INSERT INTO events (${columns}, event_key, content_tag)
  SELECT ${values}, event_key((SELECT pepper FROM installation), $1::text::integer, id), ${randomOf('t')}::uuid
  FROM ${numbersWith(ids)}`

// What consumers would have written, without reading the events again. A span has 1,024 seqs; the first has no 0.
const summarize = (sources: number) => `
  INSERT INTO spans (topic_id, span, "timestamp", received_at, sources)
  SELECT t.id, s, times, times, (SELECT array_agg('node-' || n) FROM generate_series(0, ${sources - 1}) n)
  FROM topics t CROSS JOIN generate_series(0, ((t.head + 1) >> 10) - 1) s
  CROSS JOIN LATERAL (
    SELECT tstzmultirange(tstzrange(${timeAt('greatest(s * 1024, 1)')}, ${timeAt('(s * 1024 + 1023)')}, '[]')) AS times
  ) t2`

function disposable(pool: pg.Pool): pg.Pool & AsyncDisposable {
  // A database that is dropped at once ends connections that are just closing, which would end this process.
  pool.on('error', () => undefined)
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}
