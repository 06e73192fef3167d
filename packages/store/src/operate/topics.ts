import type { TopicName } from '@sekali/core/event'
import type { Store } from '../postgres/connect.ts'
import { asStoreError } from '../postgres/errors.ts'
import { utc } from '../postgres/time.ts'

/** What came of a topic's entries, over all incarnations of its stream except for `accounted`. */
export interface TopicFigures {
  readonly topic: TopicName
  /** The incarnation that `accounted` counts, or `null` when the topic has had no turn yet. */
  readonly group: string | null
  readonly accounted: number
  readonly stored: number
  readonly duplicates: number
  readonly conflicts: number
  readonly dead: number
  readonly lost: number
  /** Entries of this incarnation that were seen; what is not accounted for of them is lost when the stream goes. */
  readonly seen: number
  /** When Redis was last found to have lost anything of the topic (UTC). */
  readonly lossAt: string | null
  readonly headSeq: number
}

type Row = [name: string, group: string | null, ...counts: string[]]

/**
 * The figures of all topics, by name. Rows as plain arrays: for 26,000 topics Drizzle's mapping holds up everything else
 * for 100 ms and more. Rejects with `StoreUnavailable`.
 */
export async function readTopics(store: Store): Promise<TopicFigures[]> {
  const text = `
    SELECT name, stream_group, accounted, head, duplicates, conflicts, dead, lost, seen, loss_at::text
    FROM topics ORDER BY name COLLATE "C"`
  const { rows } = await store.pool.query<Row>({ text, rowMode: 'array' }).catch((error: unknown) => {
    throw asStoreError(error, 'read of topics')
  })
  return rows.map(
    ([name, group, accounted, head, duplicates, conflicts, dead, lost, seen, lossAt = null]) => ({
      topic: name as TopicName,
      group,
      accounted: Number(accounted),
      stored: Number(head),
      duplicates: Number(duplicates),
      conflicts: Number(conflicts),
      dead: Number(dead),
      lost: Number(lost),
      seen: Number(seen),
      lossAt: lossAt === null ? null : utc(lossAt),
      headSeq: Number(head),
    }),
  )
}
