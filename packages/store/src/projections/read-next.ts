import type { StoredEvent, TopicName } from '@sekali/core/event'
import type { Db } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { events } from '../postgres/schema.ts'
import type { Gap } from '../read/gaps.ts'
import { type EventRow, eventColumns, toEvent } from '../read/row.ts'

/** Some of a topic's events: the `count` that follow `after`. All of them must be stored. */
export interface Next {
  readonly topicId: number
  readonly topic: TopicName
  readonly after: number
  readonly count: number
}

export interface NextEvents {
  readonly events: readonly { readonly topicId: number; readonly event: StoredEvent }[]
  /** Where the events end although more were asked for; mostly nowhere. */
  readonly gap?: Gap
}

/**
 * What comes next of several topics: in the order in which they are given, and of each by seq, up to the first gap if there
 * is one. In one statement, because of many topics there is mostly one event each.
 */
export async function readNext(db: Pick<Db, 'execute'>, wanted: readonly Next[]): Promise<NextEvents> {
  const column = (pick: (one: Next) => number) => sql.param(wanted.map(pick))
  // OFFSET 0: a descent of the index for each topic, whatever the planner thinks; see commit.ts.
  const { rows } = await db.execute<EventRow & { topic_id: number }>(sql`
    SELECT e.topic_id, ${eventColumns}
    FROM unnest(
      ${column(({ topicId }) => topicId)}::int[],
      ${column(({ after }) => after)}::bigint[],
      ${column(({ count }) => count)}::bigint[]
    ) WITH ORDINALITY AS w (topic_id, after, count, at)
    CROSS JOIN LATERAL (
      SELECT * FROM ${events} WHERE topic_id = w.topic_id AND seq BETWEEN w.after + 1 AND w.after + w.count OFFSET 0
    ) e
    ORDER BY w.at, e.seq`)
  const found: { topicId: number; event: StoredEvent }[] = []
  for (const { topicId, topic, after, count } of wanted) {
    for (let seq = after + 1; seq <= after + count; seq++) {
      const row = rows[found.length]
      // Promise 5. Where somebody has broken it, to stop is better than to skip what was not seen yet.
      if (row?.topic_id !== topicId || Number(row.seq) !== seq) return { events: found, gap: { topic, seq } }
      // Whatever the epoch: what is folded of an event must not depend on when it is read.
      found.push({ topicId, event: toEvent(topic, row, 1) })
    }
  }
  return { events: found }
}
