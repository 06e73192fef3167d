import type { SQL } from 'drizzle-orm'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, spans } from '../postgres/schema.ts'
import { utc } from '../postgres/time.ts'
import type { Lane } from './scope.ts'
import { spanBits, spanEvents } from './spans.ts'

export interface Filter {
  readonly source?: string
  /** From this time on, and before that one; which of an event's times is meant. */
  readonly from?: string
  readonly to?: string
  readonly by?: 'timestamp' | 'received_at'
}

export type Order = 'asc' | 'desc'

/** How far one round goes in each lane. */
export interface Reach {
  readonly keys: number
  readonly spans: number
}

// A type and not an interface, because execute() asks for an index signature.
type LookRow = { lane: string; last_span: number | null; seq: string | null; stored_at: string | null }

/**
 * Finds the next keys of lanes that have none, and moves their bounds past what has been looked at. Rejects with
 * `StoreUnavailable`.
 */
export async function look(
  store: Store,
  filter: Filter,
  order: Order,
  dry: readonly Lane[],
  reach: Reach,
): Promise<void> {
  const { rows } = await store.db
    .execute<LookRow>(keysOf(filter, order, dry, reach))
    .catch((error: unknown) => {
      throw asStoreError(error, 'search of events')
    })
  const lastSpans = new Map<Lane, number>()
  for (const { lane: index, last_span, seq, stored_at } of rows) {
    const lane = dry[Number(index) - 1] as Lane
    if (last_span !== null) lastSpans.set(lane, last_span)
    if (seq !== null && stored_at !== null) lane.keys.push({ seq: Number(seq), storedAt: utc(stored_at) })
  }
  for (const lane of dry) {
    const lastKey = lane.keys.length === reach.keys ? lane.keys.at(-1)?.seq : undefined
    const span = lastSpans.get(lane)
    if (order === 'asc') {
      lane.low = (lastKey ?? (span === undefined ? lane.high : Math.min(lane.high, lastSeqOf(span)))) + 1
    } else {
      lane.high = (lastKey ?? (span === undefined ? lane.low : Math.max(lane.low, firstSeqOf(span)))) - 1
    }
  }
}

const firstSeqOf = (span: number): number => span * spanEvents
const lastSeqOf = (span: number): number => firstSeqOf(span + 1) - 1

/**
 * A row for each key, and one without a key for a lane that has none. `last_span` is the last span that was looked
 * at, if there are more.
 */
function keysOf(filter: Filter, order: Order, dry: readonly Lane[], reach: Reach): SQL {
  const direction = sql.raw(order === 'asc' ? 'ASC' : 'DESC')
  const ofLane = sql`topic_id = lane.topic_id AND seq BETWEEN lane.low AND lane.high`
  const lanes = sql`unnest(
    ${sql.param(dry.map(({ topicId }) => topicId))}::int[],
    ${sql.param(dry.map(({ low }) => low))}::bigint[],
    ${sql.param(dry.map(({ high }) => high))}::bigint[]
  ) WITH ORDINALITY AS lane (topic_id, low, high, at)`
  const { inSpan, inEvent } = conditionsOf(filter)
  if (inEvent === undefined) {
    // Seqs have no gap: so many of them are so many events.
    const range =
      order === 'asc'
        ? sql`lane.low AND least(lane.high, lane.low + ${reach.keys - 1}::bigint)`
        : sql`greatest(lane.low, lane.high - ${reach.keys - 1}::bigint) AND lane.high`
    return sql`
      SELECT lane.at AS lane, NULL::int AS last_span, e.seq, e.stored_at
      FROM ${lanes}
      CROSS JOIN LATERAL (
        SELECT seq, stored_at FROM ${events} WHERE topic_id = lane.topic_id AND seq BETWEEN ${range}
      ) e
      ORDER BY lane.at, e.seq ${direction}`
  }
  const firstSpan = sql`(lane.low >> ${spanBits})::int`
  const lastSpan = sql`(lane.high >> ${spanBits})::int`
  // Spans without a row may hold anything.
  const unwritten = sql`greatest(${firstSpan}, 1 + coalesce(
    (SELECT span FROM ${spans} WHERE topic_id = lane.topic_id ORDER BY span DESC LIMIT 1), -1))`
  const series =
    order === 'asc'
      ? sql`generate_series(${unwritten}, ${lastSpan})`
      : sql`generate_series(${lastSpan}, ${unwritten}, -1)`
  return sql`
    SELECT lane.at AS lane, looked.last_span, e.seq, e.stored_at
    FROM ${lanes}
    CROSS JOIN LATERAL (
      SELECT array_agg(span) AS spans,
        CASE WHEN count(*) = ${reach.spans} THEN ${order === 'asc' ? sql`max(span)` : sql`min(span)`} END AS last_span
      FROM (
        (SELECT span FROM ${spans}
          WHERE topic_id = lane.topic_id AND span BETWEEN ${firstSpan} AND ${lastSpan} AND ${inSpan}
          ORDER BY span ${direction} LIMIT ${reach.spans})
        UNION ALL
        (SELECT span FROM ${series} AS span LIMIT ${reach.spans})
        ORDER BY span ${direction} LIMIT ${reach.spans}
      ) may_match
    ) looked
    LEFT JOIN LATERAL (
      SELECT found.seq, found.stored_at
      FROM unnest(looked.spans) AS span
      CROSS JOIN LATERAL (
        SELECT seq, stored_at FROM ${events}
        WHERE ${ofLane} AND ${inEvent}
          AND seq BETWEEN span::bigint << ${spanBits} AND ((span + 1)::bigint << ${spanBits}) - 1
        OFFSET 0
      ) found
      ORDER BY found.seq ${direction} LIMIT ${reach.keys}
    ) e ON true
    ORDER BY lane.at, e.seq ${direction}`
}

/** What a search asks of an event, and of a span that may hold such an event; undefined if it takes all. */
function conditionsOf({ source, from, to, by = 'timestamp' }: Filter) {
  const time = sql.raw(by === 'timestamp' ? '"timestamp"' : 'received_at')
  const inEvent: SQL[] = []
  const inSpan: SQL[] = []
  if (source !== undefined) {
    inEvent.push(sql`source = ${source}`)
    inSpan.push(sql`(sources IS NULL OR ${source} = ANY (sources))`)
  }
  if (from !== undefined) inEvent.push(sql`${time} >= ${from}::timestamptz`)
  if (to !== undefined) inEvent.push(sql`${time} < ${to}::timestamptz`)
  if (from !== undefined || to !== undefined) {
    inSpan.push(sql`${time} && tstzrange(${from ?? null}::timestamptz, ${to ?? null}::timestamptz)`)
  }
  const and = (conditions: SQL[]) => sql.join(conditions, sql` AND `)
  return { inEvent: inEvent.length === 0 ? undefined : and(inEvent), inSpan: and(inSpan) }
}
