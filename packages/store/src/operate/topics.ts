import type { TopicName } from '@sekali/core/event'
import { type Outcomes, outcomesOf } from '@sekali/core/figures'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { outcomeColumns } from '../postgres/outcome-columns.ts'
import { utc } from '../postgres/time.ts'

/** What came of a topic's entries, over all incarnations of its stream except for `accounted`. */
export interface TopicFigures extends Outcomes {
  readonly topic: TopicName
  /** The incarnation that `accounted` counts, or `null` when the topic has had no turn yet. */
  readonly group: string | null
  readonly accounted: number
  /** Entries of this incarnation that were seen; what is not accounted for of them is lost when the stream goes. */
  readonly seen: number
  /** When Redis was last found to have lost anything of the topic (UTC). */
  readonly lossAt: string | null
  readonly headSeq: number
}

type Row = [
  name: string,
  group: string | null,
  accounted: string,
  seen: string,
  lossAt: string | null,
  ...counts: string[],
]

/**
 * The figures of all topics, by name. Rows as plain arrays: for 26,000 topics Drizzle's mapping holds up everything else
 * for 100 ms and more. Rejects with `StoreUnavailable`.
 */
export async function readTopics(store: Store): Promise<TopicFigures[]> {
  const text = `
    SELECT name, stream_group, accounted, seen, loss_at::text, ${outcomeColumns}
    FROM topics ORDER BY name COLLATE "C"`
  const { rows } = await store.pool.query<Row>({ text, rowMode: 'array' }).catch((error: unknown) => {
    throw asStoreError(error, 'read of topics')
  })
  return rows.map(([name, group, accounted, seen, lossAt, ...counts]) => {
    let column = 0
    const outcomes = outcomesOf(() => Number(counts[column++]))
    return {
      topic: name as TopicName,
      group,
      accounted: Number(accounted),
      ...outcomes,
      seen: Number(seen),
      lossAt: lossAt === null ? null : utc(lossAt),
      headSeq: outcomes.stored,
    }
  })
}
