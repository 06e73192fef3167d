import { outcomeNames } from '@sekali/core/figures'
import type { Store } from '@sekali/store/connect'

/** What came of all entries of all topics. */
export interface TopicSums {
  readonly accounted: number
  readonly stored: number
  readonly duplicates: number
  /** Conflicts, dead letters and lost entries: a benchmark has none. */
  readonly others: number
}

const others = outcomeNames.filter((name) => name !== 'stored' && name !== 'duplicates')

/** Reads the topics' rows, which is cheaper than GET /stats: it is done every 20 ms while the clock runs. */
export async function sumUp({ pool }: Store): Promise<TopicSums> {
  const { rows } = await pool.query<Record<keyof TopicSums, string>>(
    `SELECT coalesce(sum(accounted), 0) AS accounted, coalesce(sum(head), 0) AS stored,
      coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(${others.join(' + ')}), 0) AS others
    FROM topics`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('no sums')
  return {
    accounted: Number(row.accounted),
    stored: Number(row.stored),
    duplicates: Number(row.duplicates),
    others: Number(row.others),
  }
}
