import type { TopicName } from '@sekali/core/event'
import { type Outcomes, outcomesOf } from '@sekali/core/figures'
import type { Store } from '../postgres/connect.ts'
import { eachLine } from '../postgres/each-line.ts'
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
  /** The epoch of its log: 1 unless it was restored to an earlier state. */
  readonly epoch: number
}

// Bundles of hundreds, as in read/heads.ts: for 26,000 topics rows of their own hold up everything else for 50 ms and more.
// In no order: to sort names, and then bundles by their numbers, took PostgreSQL as long as all the rest. Neither a name, an
// incarnation nor a time has a tab in it.
const statement = `
  SELECT string_agg(concat_ws(
    E'\\t', name, coalesce(stream_group, ''), accounted, seen, coalesce(loss_at::text, ''), epoch, ${outcomeColumns}), E'\\n')
  FROM topics GROUP BY id / 256`

/** The figures of all topics, in no order. Rejects with `StoreUnavailable`. */
export async function readTopics(store: Store): Promise<TopicFigures[]> {
  const { rows } = await store.pool
    .query<[string]>({ text: statement, rowMode: 'array' })
    .catch((error: unknown) => {
      throw asStoreError(error, 'read of topics')
    })
  const topics: TopicFigures[] = []
  await eachLine(rows.flat(), (line) => void topics.push(figuresIn(line)))
  return topics
}

function figuresIn(line: string): TopicFigures {
  const [name, group, accounted, seen, lossAt, epoch, ...counts] = line.split('\t')
  let column = 0
  const outcomes = outcomesOf(() => Number(counts[column++]))
  return {
    topic: name as TopicName,
    group: group || null,
    accounted: Number(accounted),
    ...outcomes,
    seen: Number(seen),
    lossAt: lossAt ? utc(lossAt) : null,
    headSeq: outcomes.stored,
    epoch: Number(epoch),
  }
}
