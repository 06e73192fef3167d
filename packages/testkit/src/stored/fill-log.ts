import type { Store } from '@sekali/store/connect'

/** What the columns of a topic's `n`th event are, in SQL. */
interface Columns {
  readonly payload: string
  readonly source?: string
  readonly timestamp?: string
  readonly receivedAt?: string
}

/**
 * Makes topics with events up to the head of each, in one statement: for logs of tens of thousands. They are found by id;
 * a repeat of one would be a conflict, because their tags are nobody's.
 */
export async function fillLog(
  { pool }: Store,
  heads: Readonly<Record<string, number>>,
  { payload, source = `'shop'`, timestamp = `'2025-01-01Z'`, receivedAt = `'2025-02-01Z'` }: Columns,
): Promise<void> {
  await pool.query(
    `WITH t AS (
       INSERT INTO topics (name, head) SELECT * FROM unnest($1::text[], $2::bigint[]) RETURNING id, head
     )
     INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at,
       event_key, content_tag)
     SELECT t.id, n, 'e' || n, ${source}, ${payload}, ${timestamp}, ${receivedAt},
       event_key(t.id, 'e' || n), gen_random_uuid()
     FROM t, generate_series(1, t.head) n`,
    [Object.keys(heads), Object.values(heads)],
  )
}
