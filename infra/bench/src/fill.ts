import { availableParallelism } from 'node:os'
import pg from 'pg'

/**
 * Fills a database with events, as many in each topic, and leaves it as after a long life: indexed, analyzed and
 * vacuumed. The indexes are taken off meanwhile and put on again, which is five times as fast. Event ids are random.
 */
export async function fill(
  url: string,
  options: { readonly topics: readonly string[]; readonly events: number },
): Promise<void> {
  const perTopic = Math.ceil(options.events / options.topics.length)
  await using pool = disposable(new pg.Pool({ connectionString: url, max: availableParallelism() }))
  const { rows: constraints } = await pool.query<{ name: string; definition: string }>(
    `SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
    WHERE conrelid = 'events'::regclass AND contype IN ('p', 'u')`,
  )
  for (const { name } of constraints) await pool.query(`ALTER TABLE events DROP CONSTRAINT "${name}"`)
  const { rows: topics } = await pool.query<{ id: number }>(
    `INSERT INTO topics (name, stream_group, head, accounted)
    SELECT name, 'bench', $2::bigint, $2::bigint FROM unnest($1::text[]) AS name RETURNING id`,
    [options.topics, perTopic],
  )
  await Promise.all(topics.map(({ id }) => pool.query(insert, [String(id), perTopic])))
  await Promise.all(
    constraints.map(({ name, definition }) =>
      pool.query(
        `SET maintenance_work_mem = '256MB'; ALTER TABLE events ADD CONSTRAINT "${name}" ${definition}`,
      ),
    ),
  )
  await pool.query('VACUUM ANALYZE events')
}

// md5 and concatenation, because gen_random_uuid() and json_build_object() would take as long again as all the rest.
const insert = `
  INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at, stored_at)
  SELECT $1::text::integer, n, md5($1::text || '-' || n)::uuid, now(), 'node-' || n % 20, (
    '{"source_seq":' || n || ',"order_id":"ORD-123456","amount":1250000,"currency":"IDR","express":false}'
  )::json, now(), now()
  FROM generate_series(1, $2::bigint) AS n`

const disposable = (pool: pg.Pool): pg.Pool & AsyncDisposable =>
  Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
