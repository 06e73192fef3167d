// Whether all that was taken is in the log, once.
import { until } from '../clock.ts'
import type { SqlAccess } from '../targets/target.ts'
import { batchEvents, type Sent } from './streams.ts'

/** What a topic has: stored, and in flight as far as PostgreSQL alone tells. */
export async function countStored(sql: SqlAccess, topics: readonly string[]): Promise<number> {
  const names = topics.map((topic) => `'${topic}'`).join(', ')
  const [row] = await sql.rows(`SELECT coalesce(sum(head), 0) AS n FROM topics WHERE name IN (${names})`)
  return Number(row?.n)
}

/**
 * Events that were answered with yes and are not in the log, of one sender. A batch without a certain answer may be there
 * or not, in part as well; a refused one may be there in part, as a batch goes to Redis in portions.
 */
export async function countMissing(sql: SqlAccess, run: string, sent: readonly Sent[]): Promise<number> {
  let missing = 0
  for (const { topic, taken } of sent) {
    const rows = await sql.rows(`
      SELECT substring(event_id from '[.]([0-9]+)-') AS batch, count(*) AS n FROM events
      WHERE topic_id = (SELECT id FROM topics WHERE name = '${topic}') AND source = '${run}' GROUP BY 1`)
    const stored = new Map(rows.map(({ batch, n }) => [Number(batch), Number(n)]))
    for (const batch of taken) missing += batchEvents - (stored.get(batch) ?? 0)
  }
  return missing
}

interface Totals {
  readonly in_flight: number | null
  readonly lost: number | null
}

/** Waits until nothing is in flight. Resolves with how long that took, in milliseconds; undefined when it never came. */
export async function awaitDrained(
  readTotals: () => Promise<Totals>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const since = performance.now()
  const isDrained = async () => (await readTotals()).in_flight === 0
  return (await until(isDrained, deadlineMs, signal)) ? performance.now() - since : undefined
}
