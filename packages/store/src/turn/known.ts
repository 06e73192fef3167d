import { chunksOf } from '@sekali/core/chunks'
import type { Tx } from '../postgres/connect.ts'
import { textArray } from '../postgres/text-array.ts'
import { contentsBy, type SameContent } from './same-content.ts'

/** An id to look up. */
export interface Sought {
  readonly topicId: number
  readonly eventId: string
  /** Bytes of the largest payload that came under the id: to a stored one that is larger, none is equal. */
  readonly payloadBytes: number
  /** What its topic says. */
  readonly by: SameContent
}

/** The event that has an id. */
export interface Known {
  readonly seq: number
  readonly source: string
  /** What of it decides, see same-content.ts. Null when it is larger than what came under the id, and so another. */
  readonly content: string | null
}

/**
 * Looks ids up. OFFSET 0 keeps the planner from turning the look-ups into a join: whatever it thinks of the table, each
 * is one descent of the unique index. As `NOT EXISTS` it became a hash join over the whole log, and `= ANY (ids)` fell
 * to a generic plan that stored 6,000 events a second where this one stores ten times as many.
 *
 * A payload comes only if one of those that came may be the same text: a thousand small events under the ids of large ones
 * made a turn read 256 MB.
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
  const found = rows.map(({ at, seq, source, payload }): Found<S> => {
    const one = sought[Number(at)] as S
    return {
      sought: one,
      seq: Number(seq),
      source,
      content: payload && contentsBy(one.by)({ source, payload }).content,
    }
  })
  await readLarger(tx, found)
  return found.map(({ sought, ...known }) => [sought, known])
}

interface Row {
  readonly at: string
  readonly seq: string
  readonly source: string
  readonly payload: string | null
}

/** Everything as PostgreSQL prints it: a Date would have no microseconds. */
const types = { getTypeParser: () => String }

type Found<S extends Sought> = { readonly sought: S; content: string | null } & Omit<Known, 'content'>

/** Payloads that are in memory at once while what they mean is found out: 4 MiB of those that the door lets in. */
const payloadsAtOnce = 16

/**
 * By what JSON means, a payload may be larger than its equal. Those that were not read are, a few at a time; it takes a
 * repeat of an event that is written more widely, or another content, so it is rare.
 */
async function readLarger(tx: Tx, found: readonly Found<Sought>[]): Promise<void> {
  const larger = found.filter(({ sought, content }) => sought.by === 'json' && content === null)
  for (const some of chunksOf(larger, payloadsAtOnce)) {
    const { rows } = await tx.$client.query<{ at: string; payload: string }>({
      name: 'read_payloads',
      text: `
        SELECT b.at - 1 AS at, e.payload
        FROM unnest($1::integer[], $2::bigint[]) WITH ORDINALITY AS b (topic_id, seq, at)
        CROSS JOIN LATERAL (
          SELECT l.payload::text FROM events l WHERE l.topic_id = b.topic_id AND l.seq = b.seq OFFSET 0
        ) e`,
      values: [
        `{${some.map(({ sought }) => sought.topicId).join(',')}}`,
        `{${some.map(({ seq }) => seq).join(',')}}`,
      ],
      types,
    })
    for (const { at, payload } of rows) {
      const one = some[Number(at)] as Found<Sought>
      one.content = contentsBy('json')({ source: one.source, payload }).content
    }
  }
}
