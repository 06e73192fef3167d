import type { StoredEvent, TopicName } from '@sekali/core/event'
import type { Db } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { events } from '../postgres/schema.ts'
import { type EventRow, eventColumns, toEvent } from '../read/row.ts'

/** Some of a topic's events: the `count` that follow `after`. All of them must be stored. */
export interface Next {
  readonly topicId: number
  readonly topic: TopicName
  readonly after: number
  readonly count: number
}

/**
 * What comes next of several topics: in the order in which they are given, and of each by seq, without a gap. In one
 * statement, because of many topics there is mostly one event each. Throws when less is stored than is asked for.
 */
export async function readNext(
  db: Pick<Db, 'execute'>,
  wanted: readonly Next[],
): Promise<{ readonly topicId: number; readonly event: StoredEvent }[]> {
  const column = (pick: (one: Next) => number) => sql.param(wanted.map(pick))
  // OFFSET 0: a descent of the index for each topic, whatever the planner thinks; see commit.ts.
  const { rows } = await db.execute<EventRow>(sql`
    SELECT ${eventColumns}
    FROM unnest(
      ${column(({ topicId }) => topicId)}::int[],
      ${column(({ after }) => after)}::bigint[],
      ${column(({ count }) => count)}::bigint[]
    ) WITH ORDINALITY AS w (topic_id, after, count, at)
    CROSS JOIN LATERAL (
      SELECT * FROM ${events} WHERE topic_id = w.topic_id AND seq BETWEEN w.after + 1 AND w.after + w.count OFFSET 0
    ) e
    ORDER BY w.at, e.seq`)
  const next = rows.values()
  return wanted.flatMap(({ topicId, topic, after, count }) =>
    Array.from({ length: count }, (_, index) => {
      const seq = after + 1 + index
      const row = next.next().value
      // Whatever the epoch: what is folded of an event must not depend on when it is read.
      const event = row && toEvent(topic, row, 1)
      // Promise 5. If it were ever broken, to stop is better than to skip what was not seen yet.
      if (event?.seq !== seq)
        throw new Error(`${topic}: ${event?.seq ?? 'nothing'} is where ${seq} should be`)
      return { topicId, event }
    }),
  )
}
