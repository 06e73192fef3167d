/**
 * Has Redis remember what the topics' rows say, where it remembers nothing or an earlier state. Turns alone do not suffice: a
 * topic that is quiet has none once Redis was emptied, or since the version before this one; `sekali restored` begins epochs
 * without Redis; and a consumer that dies after COMMIT leaves a stream with nothing to store in it, which is then retired.
 */
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import { ask, type Broker } from '../redis/connect.ts'
import { isUnremembered, type Row, rememberedAfter } from './new-epoch.ts'
import { type Remembered, remember } from './remembered.ts'

/** The smallest seq at which each of the topics has forked, by number, as PostgreSQL has it. */
export type ReadFirstForks = (topicIds: readonly number[]) => Promise<ReadonlyMap<number, number>>

/** Topics in one script: some milliseconds of Redis's time. */
const rowsPerScript = 500

/** `memories`, read before the rows, are what Redis remembers of these topics. Rejects with `BrokerUnavailable`. */
export async function rememberRows(
  broker: Broker,
  rows: readonly Row[],
  memories: ReadonlyMap<TopicName, Remembered>,
  readFirstForks: ReadFirstForks,
): Promise<void> {
  const missing = rows.filter((row) => isUnremembered(memories.get(row.topic), row))
  const forked = missing.flatMap(({ epoch, topicId }) => (epoch > 1 ? [topicId] : []))
  const firstForks = forked.length === 0 ? undefined : await readFirstForks(forked)
  for (const some of chunksOf(missing, rowsPerScript)) {
    const topics = some.map((row) => {
      const known = { own: memories.get(row.topic), group: row.group }
      const firstFork = firstForks?.get(row.topicId)
      return { topic: row.topic, remembered: rememberedAfter(row, known, row, { firstFork }) }
    })
    await ask(broker, 'seed of what is remembered', (redis) => remember(broker, redis, topics))
  }
}
