import type { EventId, StoredEvent } from '@sekali/core/event'
import type { TopicPattern } from '@sekali/core/pattern'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, topics } from '../postgres/schema.ts'
import { textArray } from '../postgres/text-array.ts'
import { eventOf, page, type Row } from './row.ts'

export interface IdQuery {
  readonly eventId: EventId
  /** All topics unless given. */
  readonly topics?: TopicPattern | undefined
  /** Topics that may be shown; without them all. */
  readonly within?: readonly TopicPattern[] | undefined
  readonly limit: number
}

const newestFirst = sql`stored_at DESC, topic`

/**
 * The events with an id, of whichever topics: each topic has one at most. The newest first, as many as fit a page. Rejects
 * with `StoreUnavailable`.
 *
 * A look into the index of ids for each topic, some microseconds; OFFSET keeps the planner from reading the log instead.
 */
export async function readById(
  store: Store,
  { eventId, topics: pattern, within, limit }: IdQuery,
): Promise<StoredEvent[]> {
  const named =
    pattern === undefined
      ? sql`true`
      : pattern.isPattern
        ? sql`t.name ~ ${pattern.regExp.source}`
        : sql`t.name = ${pattern.text}`
  const shown =
    within === undefined
      ? sql`true`
      : sql`t.name ~ ANY (${textArray(within.map(({ regExp }) => regExp.source))})`
  const found = sql`
    SELECT e.*, t.name AS topic, t.epoch
    FROM ${topics} t
    CROSS JOIN LATERAL (
      SELECT * FROM ${events} l WHERE l.topic_id = t.id AND l.event_id = ${eventId} OFFSET 0
    ) e
    WHERE ${named} AND ${shown}
    ORDER BY ${newestFirst}
    LIMIT ${limit}`
  const { rows } = await store.db.execute<Row>(page(found, newestFirst)).catch((error: unknown) => {
    throw asStoreError(error, 'search of an event')
  })
  return rows.map(eventOf)
}
