import type { SQL } from 'drizzle-orm'
import { sql } from '../postgres/drizzle.ts'
import { events } from '../postgres/schema.ts'

/**
 * A query for columns of the log, as `l`: of the event that has an id in the topic whose row is `t`. By key, or by text in a
 * log that is not upgraded yet; of the two parts PostgreSQL runs the one that `t.keyed` says.
 */
export const eventOfId = (columns: SQL, eventId: SQL | string): SQL => sql`
  SELECT ${columns} FROM ${events} l
  WHERE t.keyed AND l.event_key = event_key((SELECT pepper FROM installation), t.id, ${eventId}) AND l.event_id = ${eventId}
  UNION ALL
  SELECT ${columns} FROM ${events} l WHERE NOT t.keyed AND l.topic_id = t.id AND l.event_id = ${eventId}
  OFFSET 0`
