import type { Event } from '@sekali/core/event'
import type { Tx } from '../postgres/connect.ts'
import { textArray } from '../postgres/text-array.ts'

/** An id to look up. */
export interface Sought {
  readonly topicId: number
  readonly eventId: string
  /** Bytes of the largest payload that came under the id: to a stored one that is larger, none is equal. */
  readonly payloadBytes: number
}

/** The event that has an id. */
export interface Known extends Omit<Content, 'payload'> {
  readonly seq: number
  /** Null when it is larger than what came under the id. */
  readonly payload: string | null
}

interface Content extends Pick<Event, 'payload'> {
  readonly source: string
}

/**
 * Byte for byte, the payload included: a publisher that repeats itself sends what it sent. Not the timestamp: there are
 * clients that stamp each attempt, and to them the second is the same event.
 */
export const hasSameContent = (a: Content, b: Content | Known): boolean =>
  a.source === b.source && a.payload === b.payload

/**
 * Looks ids up. OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each
 * is one descent of the unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell
 * to a generic plan that stored 6,000 events a second where this one stores ten times as many.
 *
 * A payload comes only if one of those that came may be equal: a thousand small events under the ids of large ones made
 * a turn read 256 MB.
 */
const text = `
  SELECT b.at - 1 AS at, e.*
  FROM unnest($1::integer[], $2::text[], $3::integer[]) WITH ORDINALITY AS b (topic_id, event_id, bytes, at)
  CROSS JOIN LATERAL (
    SELECT l.seq, l.source,
      CASE WHEN octet_length(l.payload::text) <= b.bytes THEN l.payload::text END AS payload
    FROM events l WHERE l.topic_id = b.topic_id AND l.event_id = b.event_id
    OFFSET 0
  ) e`

/** Those that are known, each with the event that has its id. */
export async function findKnown<S extends Sought>(
  tx: Tx,
  sought: readonly S[],
): Promise<[sought: S, known: Known][]> {
  if (sought.length === 0) return []
  const { rows } = await tx.$client.query<Row>({
    name: 'find_known',
    text,
    values: [
      `{${sought.map(({ topicId }) => topicId).join(',')}}`,
      textArray(sought.map(({ eventId }) => eventId)),
      `{${sought.map(({ payloadBytes }) => payloadBytes).join(',')}}`,
    ],
    types,
  })
  return rows.map(({ at, seq, source, payload }) => [
    sought[Number(at)] as S,
    { seq: Number(seq), source, payload },
  ])
}

interface Row {
  readonly at: string
  readonly seq: string
  readonly source: string
  readonly payload: string | null
}

/** Everything as PostgreSQL prints it: a Date would have no microseconds. */
const types = { getTypeParser: () => String }
