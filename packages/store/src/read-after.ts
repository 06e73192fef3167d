import type { StoredEvent, TopicName } from '@sekali/core/event'
import type { Db } from './connect.ts'
import { sql } from './drizzle.ts'
import { type Row, toEvent } from './row.ts'
import { events } from './schema.ts'

/** The next events of a topic after a seq, `limit` at most, without a gap: 43 follows 42, or it throws. */
export async function readAfter(
  db: Pick<Db, 'execute'>,
  { topicId, topic }: { readonly topicId: number; readonly topic: TopicName },
  after: number,
  limit: number,
): Promise<StoredEvent[]> {
  const { rows } = await db.execute<Omit<Row, 'topic_id' | 'topic' | 'more'>>(sql`
    SELECT event_id, "timestamp", source, payload::text AS payload, seq, received_at, stored_at
    FROM ${events} WHERE topic_id = ${topicId} AND seq BETWEEN ${after + 1} AND ${after + limit} ORDER BY seq`)
  return rows.map((row, index) => {
    const event = toEvent({ ...row, topic })
    // Promise 5. If it were ever broken, to stop is better than to skip what was not seen yet.
    if (event.seq !== after + 1 + index) throw new Error(`${topic}: ${event.seq} follows ${after + index}`)
    return event
  })
}
