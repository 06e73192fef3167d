/**
 * Seqs have no gap (promise 5), unless somebody deletes rows by hand. Then pages leave events out, and projections cannot
 * be built. To look for gaps is to count: as many rows as seqs in each span, in the index alone.
 */
import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, topics } from '../postgres/schema.ts'
import { spanEvents } from './spans.ts'

/** A seq that was given out and has no event: whoever goes on behind it leaves something out. */
export interface Gap {
  readonly topic: TopicName
  readonly seq: number
}

/** What to say of it. */
export const gapText = ({ topic, seq }: Gap): string =>
  `${topic} has no event ${seq}, because somebody has deleted its row`

/** Where a look goes on: behind this seq of the topic with this id, in the order of ids. */
export interface GapPlace {
  readonly topicId: number
  readonly seq: number
}

export interface GapFound extends Gap {
  /** How many events the span around it lacks. */
  readonly missing: number
}

export interface GapLook {
  /** The first gap of each span that has any; of a few spans. */
  readonly found: readonly GapFound[]
  /** Seqs that it has looked at. */
  readonly seqs: number
  /** Where the next look goes on; `undefined` when all topics are done. */
  readonly next: GapPlace | undefined
}

/** Spans that one look takes on, some ten milliseconds of PostgreSQL's time. */
const spansMax = 128
/** Of more it is enough to know that there are some. */
const foundMax = 16

interface Span {
  readonly topicId: number
  readonly topic: TopicName
  readonly first: number
  readonly last: number
}

/** Looks at the next spans from a place on, or from the beginning. Rejects with `StoreUnavailable`. */
export async function lookForGaps(store: Store, from: GapPlace = { topicId: 0, seq: 0 }): Promise<GapLook> {
  const { rows } = await execute<{ id: number; name: TopicName; head: string }>(
    store,
    sql`SELECT id, name, head FROM ${topics}
      WHERE id >= ${from.topicId} AND head > CASE WHEN id = ${from.topicId} THEN ${from.seq}::bigint ELSE 0 END
      ORDER BY id LIMIT ${spansMax}`,
  )
  const spans: Span[] = []
  let next: GapPlace | undefined
  for (const { id: topicId, name: topic, head } of rows) {
    const begin = topicId === from.topicId ? from.seq : 0
    for (let seq = begin; seq < Number(head) && spans.length < spansMax; seq += spanEvents) {
      spans.push({ topicId, topic, first: seq + 1, last: Math.min(Number(head), seq + spanEvents) })
    }
    const reached = spans.at(-1)
    if (spans.length < spansMax || reached === undefined) continue
    next = { topicId: reached.topicId, seq: reached.last }
    break
  }
  const seqs = spans.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return { found: await findGaps(store, spans), seqs, next }
}

async function findGaps(store: Store, spans: readonly Span[]): Promise<GapFound[]> {
  if (spans.length === 0) return []
  const column = (pick: (span: Span) => number) => sql.param(spans.map(pick))
  const { rows } = await execute<{ at: string; missing: string; seq: string }>(
    store,
    sql`SELECT at - 1 AS at, last - first + 1 - count AS missing, (
        SELECT min(n) FROM generate_series(first, last) n
        WHERE NOT EXISTS (SELECT FROM ${events} e WHERE e.topic_id = s.topic_id AND e.seq = n)
      ) AS seq
      FROM unnest(
        ${column(({ topicId }) => topicId)}::int[],
        ${column(({ first }) => first)}::bigint[],
        ${column(({ last }) => last)}::bigint[]
      ) WITH ORDINALITY AS s (topic_id, first, last, at)
      JOIN ${topics} t ON t.id = s.topic_id AND t.head >= s.last -- unless an earlier state was put back meanwhile
      CROSS JOIN LATERAL (
        SELECT count(*) FROM ${events} e WHERE e.topic_id = s.topic_id AND e.seq BETWEEN s.first AND s.last OFFSET 0
      ) c
      WHERE count < last - first + 1 ORDER BY at LIMIT ${foundMax}`,
  )
  return rows.flatMap(({ at, seq, missing }) => {
    const topic = spans[Number(at)]?.topic
    return topic === undefined ? [] : [{ topic, seq: Number(seq), missing: Number(missing) }]
  })
}

const execute = <T extends Record<string, unknown>>(store: Store, statement: ReturnType<typeof sql>) =>
  store.db.execute<T>(statement).catch((error: unknown) => {
    throw asStoreError(error, 'look for gaps')
  })
