import { StoreUnavailable } from '@sekali/core/errors'
import type { SQL } from 'drizzle-orm'
import type { Store } from '../postgres/connect.ts'
import { sql } from '../postgres/drizzle.ts'
import { asStoreError } from '../postgres/errors.ts'
import { events, spans, topics } from '../postgres/schema.ts'
import { utc } from '../postgres/time.ts'
import type { Scan } from './scope.ts'
import { spanBits, spanEvents } from './spans.ts'

export interface Filter {
  readonly source?: string
  /** From this time on, and before that one; which of an event's times is meant. */
  readonly from?: string
  readonly to?: string
  readonly by?: 'timestamp' | 'received_at'
}

export type Order = 'asc' | 'desc'

/** How far one round goes in each topic. */
export interface Reach {
  readonly keys: number
  readonly spans: number
}

// A type and not an interface, because execute() asks for an index signature.
type KeyRow = { scan: string; last_span: number | null; seq: string | null; stored_at: string | null }

/**
 * Finds the next keys of scans that have none, and moves `low` or `high` past what was searched. Rejects with
 * `StoreUnavailable`, also when PostgreSQL is in an earlier state than when the scans began: then what was searched holds
 * less than it did.
 */
export async function findKeys(
  store: Store,
  filter: Filter,
  order: Order,
  dry: readonly Scan[],
  reach: Reach,
): Promise<void> {
  const { rows } = await store.db
    .execute<KeyRow>(keysOf(filter, order, dry, reach))
    .catch((error: unknown) => {
      throw asStoreError(error, 'search of events')
    })
  const lastSpans = new Map<Scan, number>()
  if (new Set(rows.map(({ scan }) => scan)).size < dry.length) throw hasChanged()
  for (const { scan: index, last_span, seq, stored_at } of rows) {
    const scan = dry[Number(index) - 1] as Scan
    if (last_span !== null) lastSpans.set(scan, last_span)
    if (seq !== null && stored_at !== null) scan.keys.push({ seq: Number(seq), storedAt: utc(stored_at) })
  }
  for (const scan of dry) {
    const lastKey = scan.keys.length === reach.keys ? scan.keys.at(-1)?.seq : undefined
    const span = lastSpans.get(scan)
    if (order === 'asc') {
      scan.low = (lastKey ?? (span === undefined ? scan.high : Math.min(scan.high, lastSeqOf(span)))) + 1
    } else {
      scan.high = (lastKey ?? (span === undefined ? scan.low : Math.max(scan.low, firstSeqOf(span)))) - 1
    }
  }
}

export const hasChanged = () =>
  new StoreUnavailable('the log was put back to an earlier state while it was read')

const firstSeqOf = (span: number): number => span * spanEvents
const lastSeqOf = (span: number): number => firstSeqOf(span + 1) - 1

/**
 * A row for each key, and one without a key for a scan that has none; no row for a scan whose topic is no longer in the
 * epoch of the scan, or no longer as far. `last_span` is the last span that was looked at, if there are more.
 */
function keysOf(filter: Filter, order: Order, dry: readonly Scan[], reach: Reach): SQL {
  const direction = sql.raw(order === 'asc' ? 'ASC' : 'DESC')
  const ofScan = sql`topic_id = scan.topic_id AND seq BETWEEN scan.low AND scan.high`
  const scans = sql`unnest(
    ${sql.param(dry.map(({ topicId }) => topicId))}::int[],
    ${sql.param(dry.map(({ epoch }) => epoch))}::int[],
    ${sql.param(dry.map(({ low }) => low))}::bigint[],
    ${sql.param(dry.map(({ high }) => high))}::bigint[]
  ) WITH ORDINALITY AS scan (topic_id, epoch, low, high, at)
  CROSS JOIN LATERAL (
    SELECT FROM ${topics} t WHERE t.id = scan.topic_id AND t.epoch = scan.epoch AND t.head >= scan.high OFFSET 0
  ) still`
  const { inSpan, inEvent } = conditionsOf(filter)
  if (inEvent === undefined) {
    // Seqs have no gap, so the number of seqs is the number of events.
    const range =
      order === 'asc'
        ? sql`scan.low AND least(scan.high, scan.low + ${reach.keys - 1}::bigint)`
        : sql`greatest(scan.low, scan.high - ${reach.keys - 1}::bigint) AND scan.high`
    return sql`
      SELECT scan.at AS scan, NULL::int AS last_span, e.seq, e.stored_at
      FROM ${scans}
      LEFT JOIN LATERAL (
        SELECT seq, stored_at FROM ${events} WHERE topic_id = scan.topic_id AND seq BETWEEN ${range}
      ) e ON true
      ORDER BY scan.at, e.seq ${direction}`
  }
  const firstSpan = sql`(scan.low >> ${spanBits})::int`
  const lastSpan = sql`(scan.high >> ${spanBits})::int`
  // Spans without a row may hold anything.
  const unwritten = sql`greatest(${firstSpan}, 1 + coalesce(
    (SELECT span FROM ${spans} WHERE topic_id = scan.topic_id ORDER BY span DESC LIMIT 1), -1))`
  const series =
    order === 'asc'
      ? sql`generate_series(${unwritten}, ${lastSpan})`
      : sql`generate_series(${lastSpan}, ${unwritten}, -1)`
  return sql`
    SELECT scan.at AS scan, looked.last_span, e.seq, e.stored_at
    FROM ${scans}
    CROSS JOIN LATERAL (
      SELECT array_agg(span) AS spans,
        CASE WHEN count(*) = ${reach.spans} THEN ${order === 'asc' ? sql`max(span)` : sql`min(span)`} END AS last_span
      FROM (
        (SELECT span FROM ${spans}
          WHERE topic_id = scan.topic_id AND span BETWEEN ${firstSpan} AND ${lastSpan} AND ${inSpan}
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
        WHERE ${ofScan} AND ${inEvent}
          AND seq BETWEEN span::bigint << ${spanBits} AND ((span + 1)::bigint << ${spanBits}) - 1
        OFFSET 0
      ) found
      ORDER BY found.seq ${direction} LIMIT ${reach.keys}
    ) e ON true
    ORDER BY scan.at, e.seq ${direction}`
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
