import { availableParallelism } from 'node:os'
import pg from 'pg'

export interface Log {
  readonly topics: readonly string[]
  /** As many in each topic. */
  readonly events: number
}

/** The events of a topic have consecutive timestamps, this far apart. */
const firstTime = '2025-01-01T00:00:00Z'
const apartMs = 7

/** The timestamp of a topic's event number `n`. */
export const timeOf = (n: number): string => new Date(Date.parse(firstTime) + n * apartMs).toISOString()

/**
 * Fills a database with events, and leaves it as after a long life: indexed, summarized, analyzed and vacuumed. The
 * indexes are taken off meanwhile and put on again, which is five times as fast. Event ids are random.
 */
export async function fill(url: string, { topics: names, events }: Log): Promise<void> {
  const perTopic = Math.ceil(events / names.length)
  await using pool = disposable(new pg.Pool({ connectionString: url, max: availableParallelism() }))
  const { rows: constraints } = await pool.query<{ name: string; definition: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = 'events'::regclass AND contype IN ('p', 'u')`,
  )
  for (const { name } of constraints) await pool.query(`ALTER TABLE events DROP CONSTRAINT "${name}"`)
  const { rows: topics } = await pool.query<{ id: number }>(
    'INSERT INTO topics (name, head) SELECT name, $2::bigint FROM unnest($1::text[]) AS name RETURNING id',
    [names, perTopic],
  )
  await Promise.all(topics.map(({ id }) => pool.query(insert, [String(id), perTopic])))
  await pool.query(summarize)
  await Promise.all(
    constraints.map(({ name, definition }) =>
      pool.query(
        `SET maintenance_work_mem = '256MB'; ALTER TABLE events ADD CONSTRAINT "${name}" ${definition}`,
      ),
    ),
  )
  await pool.query('VACUUM ANALYZE events, spans')
}

const timeAt = (n: string) => `timestamptz '${firstTime}' + ${n} * interval '${apartMs} ms'`

// md5 and concatenation, because gen_random_uuid() and json_build_object() would take as long again as all the rest.
const insert = `
  INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at, stored_at)
  SELECT $1::text::integer, n, md5($1::text || '-' || n)::uuid, ${timeAt('n')}, 'node-' || n % 20, (
    '{"source_seq":' || n || ',"order_id":"ORD-123456","amount":1250000,"currency":"IDR","express":false}'
  )::json, ${timeAt('n')}, ${timeAt('n')}
  FROM generate_series(1, $2::bigint) AS n`

// What consumers would have written, without reading the events again. A span has 1,024 seqs; the first has no 0.
const summarize = `
  INSERT INTO spans (topic_id, span, "timestamp", received_at, sources)
  SELECT t.id, s, times, times, (SELECT array_agg('node-' || n) FROM generate_series(0, 19) n)
  FROM topics t CROSS JOIN generate_series(0, ((t.head + 1) >> 10) - 1) s
  CROSS JOIN LATERAL (
    SELECT tstzmultirange(tstzrange(${timeAt('greatest(s * 1024, 1)')}, ${timeAt('(s * 1024 + 1023)')}, '[]')) AS times
  ) t2`

function disposable(pool: pg.Pool): pg.Pool & AsyncDisposable {
  // A database that is dropped at once ends connections that are just closing, which would end this process.
  pool.on('error', () => undefined)
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}
