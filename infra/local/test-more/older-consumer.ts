import { connectStore, withTransaction } from '@sekali/store/connect'
import { quiet } from '@sekali/testkit/quiet'

/**
 * A consumer of d25da9c as far as PostgreSQL is concerned: its session's name, its look-up of ids by text, its COPY
 * without the columns that came later. It stores a new event and a known one a turn until it is stopped or refused.
 */
export function startOlderConsumer(url: string, topic: string) {
  let stopped = false
  let stored = 0
  const store = connectStore({ url, poolMax: 1, name: 'sekali-consumer-9' }, quiet)
  const turn = (ids: string[]) =>
    withTransaction(store, 'turn', async ({ $client: client }) => {
      const lock = 'SELECT id, head FROM topics WHERE name = $1 FOR UPDATE'
      const { id, head } = (await client.query(lock, [topic])).rows[0]
      const { rows: fresh } = await client.query(
        `SELECT b.event_id FROM unnest($2::text[]) AS b (event_id) WHERE NOT EXISTS (
          SELECT FROM events l WHERE l.topic_id = $1 AND l.event_id = b.event_id)`,
        [id, ids],
      )
      await client.query(
        `INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
         SELECT $1, $2 + at, event_id, now(), 'older', '{"of":"before"}', now()
         FROM unnest($3::text[]) WITH ORDINALITY AS b (event_id, at)`,
        [id, head, fresh.map(({ event_id }) => event_id)],
      )
      await client.query('UPDATE topics SET head = head + $2 WHERE id = $1', [id, fresh.length])
      stored += fresh.length
    })
  const running = (async () => {
    await store.pool.query('INSERT INTO topics (name) VALUES ($1)', [topic])
    await turn([`${topic}-0`])
    while (!stopped) await turn([`${topic}-${stored}`, `${topic}-${Math.floor(stored / 2)}`])
  })()
  running.catch(() => undefined) // whoever stops it gets that
  return {
    stored: () => stored,
    turn,
    /** Rejects with what has ended it, if anything has. */
    stop: async () => {
      stopped = true
      await running
    },
    [Symbol.asyncDispose]: async () => {
      stopped = true
      await running.catch(() => undefined)
      await store[Symbol.asyncDispose]()
    },
  }
}
