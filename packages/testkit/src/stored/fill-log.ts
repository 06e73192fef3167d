import type { Store } from '@sekali/store/connect'

/** What the columns of a topic's `n`th event are, in SQL. */
interface Columns {
  readonly payload: string
  readonly source?: string
  readonly timestamp?: string
  readonly receivedAt?: string
}

/** PostgreSQL gives a statement five seconds, and to make a key takes it some ten microseconds. */
const chunk = 20_000

/**
 * Makes topics with events up to the head of each, in few statements: for logs of tens of thousands. They are found by id;
 * a repeat of one would be a conflict, because their tags are nobody's.
 */
export async function fillLog(
  { pool }: Store,
  heads: Readonly<Record<string, number>>,
  { payload, source = `'shop'`, timestamp = `'2025-01-01Z'`, receivedAt = `'2025-02-01Z'` }: Columns,
): Promise<void> {
  const names = Object.keys(heads)
  await pool.query('INSERT INTO topics (name, head) SELECT * FROM unnest($1::text[], $2::bigint[])', [
    names,
    Object.values(heads),
  ])
  for (let after = 0; after < Math.max(...Object.values(heads)); after += chunk) {
    await pool.query(
      `INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, event_key, content_tag)
       SELECT t.id, n, 'e' || n, ${source}, ${payload}, ${timestamp}, ${receivedAt},
         event_key(t.id, 'e' || n), gen_random_uuid()
       FROM topics t, generate_series(${after + 1}, least(t.head, ${after + chunk})) n
       WHERE t.name = ANY ($1)`,
      [names],
    )
  }
}
