import type { Store } from '@sekali/store/connect'

/** Puts a topic's log back to where it had this seq, as a restored backup does, or a standby that was behind. */
export async function putBack(store: Store, topic: string, seq: number): Promise<void> {
  await store.pool.query(
    `WITH t AS (UPDATE topics SET head = $2::bigint WHERE name = $1 RETURNING id),
      s AS (DELETE FROM spans USING t WHERE topic_id = t.id AND (span + 1) * 1024 - 1 > $2::bigint)
    DELETE FROM events USING t WHERE topic_id = t.id AND seq > $2::bigint`,
    [topic, seq],
  )
}

/** Begins the epoch that the first turn begins after a restore, in a topic that was put back. */
export async function beginEpoch(store: Store, topic: string): Promise<void> {
  await store.pool.query(
    `WITH t AS (UPDATE topics SET epoch = epoch + 1 WHERE name = $1 RETURNING id, epoch, head)
    INSERT INTO forks (topic_id, epoch, forked_at) SELECT id, epoch, head FROM t`,
    [topic],
  )
}
