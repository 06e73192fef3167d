/**
 * Spans let a search by time or source pass over the parts of a topic that hold nothing it looks for.
 *
 * A search wants its events in the order of their seqs, and to stop when it has a page of them. A B-tree on source or
 * timestamp gives neither, and made the commit a quarter slower each. A row for every 1,024 events, with the ranges
 * of their times and their sources, costs a thousandth of that and is read in order. See docs/adr.
 *
 * A span's events never change once it is full, so its row is written later, by whoever comes to it, and is the same
 * whoever that is: nothing waits for it, and a crash leaves at most spans without a row. A topic's rows have no hole,
 * because each is written after the one before; what comes after the last is searched as if it could hold anything.
 */
import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, spans, topics } from '../postgres/schema.ts'

/** 2 to the power of this is how many events a span has. */
export const spanBits = 10
export const spanEvents = 2 ** spanBits

/** Sources that are noted of a span; of one with more, none. */
const sourcesMax = 64
/** Ranges that the timestamps of a span are noted in: without a few late ones they are nearly one. */
const rangesMax = 16

const ofSpan = sql`topic_id = t.id
  AND seq BETWEEN s.span::bigint << ${spanBits} AND ((s.span + 1)::bigint << ${spanBits}) - 1`

/**
 * Writes the next summaries of a topic, at most `spansMax`. Returns how many: fewer when all spans that are full have
 * theirs, or when somebody else is at it. Rejects with `StoreUnavailable`.
 */
export async function summarizeSpans(store: Store, topic: TopicName, spansMax: number): Promise<number> {
  const { rowCount } = await store.db
    .execute(sql`
      INSERT INTO ${spans} (topic_id, span, "timestamp", received_at, sources)
      SELECT t.id, s.span, times.ranges, e.received_at,
        CASE WHEN cardinality(e.sources) <= ${sourcesMax} THEN e.sources END
      FROM ${topics} t
      CROSS JOIN LATERAL (
        SELECT coalesce((SELECT span FROM ${spans} WHERE topic_id = t.id ORDER BY span DESC LIMIT 1), -1) AS span
      ) last
      CROSS JOIN LATERAL generate_series(
        last.span + 1, least(((t.head + 1) >> ${spanBits}) - 1, last.span + ${spansMax}::int)::int
      ) s (span)
      CROSS JOIN LATERAL (
        SELECT min("timestamp") AS first, max("timestamp") AS last,
          tstzmultirange(tstzrange(min(received_at), max(received_at), '[]')) AS received_at,
          array_agg(DISTINCT source) AS sources
        FROM ${events} WHERE ${ofSpan}
      ) e
      CROSS JOIN LATERAL (
        -- The sorted timestamps, cut at their greatest gaps.
        SELECT range_agg(range) AS ranges FROM (
          SELECT tstzrange(coalesce(lag(after) OVER (ORDER BY before), e.first), before, '[]') AS range FROM (
            (SELECT before, after FROM (
              SELECT lag("timestamp") OVER (ORDER BY "timestamp") AS before, "timestamp" AS after
              FROM ${events} WHERE ${ofSpan}
            ) gaps WHERE after > before ORDER BY after - before DESC LIMIT ${rangesMax - 1})
            UNION ALL SELECT e.last, NULL
          ) cuts
        ) parts
      ) times
      WHERE t.name = ${topic}
      ON CONFLICT DO NOTHING`)
    .catch((error: unknown) => {
      throw asStoreError(error, 'summary of spans')
    })
  return rowCount ?? 0
}
