import { isTopicName, type TopicName } from '@sekali/core/event'
import { ask, askAll, type Broker } from './connect.ts'
import { field, isMissing, ownGroup } from './info.ts'
import { streamKey, topicsKey } from './keys.ts'

/** The names of all topics that ever had a stream. Rejects with {@link BrokerUnavailable}. */
export async function readTopicNames(broker: Broker): Promise<TopicName[]> {
  const names = await ask(broker, 'list of topics', (redis) => redis.smembers(topicsKey(broker)))
  return names.filter(isTopicName) as TopicName[]
}

export interface StreamFigures {
  /** The incarnation: see append-calls.ts. `null` when the group is gone. */
  readonly group: string | null
  /** How many entries were ever added to this incarnation. Exact, unlike Redis's own `lag`. `null` when it cannot be told. */
  readonly entriesAdded: number | null
}

/** The figures of every stream, by topic. Rejects with {@link BrokerUnavailable}. */
export async function readStreams(
  broker: Broker,
  alsoTopics: Iterable<string> = [],
): Promise<Map<string, StreamFigures>> {
  const topics = [...new Set([...(await readTopicNames(broker)), ...alsoTopics])]
  const replies = await askAll(broker, 'look at streams', (redis) =>
    topics.flatMap((topic) => [
      redis.xinfo('GROUPS', streamKey(broker, topic)),
      redis.xinfo('STREAM', streamKey(broker, topic)),
    ]),
  )
  const figures = new Map<string, StreamFigures>()
  for (const [index, topic] of topics.entries()) {
    const [groups, stream] = replies.slice(2 * index, 2 * index + 2)
    if (isMissing(stream) || isMissing(groups)) continue
    // Something else has the key, say. That is unknown for this topic, and no reason to know nothing of the others.
    const entriesAdded = stream instanceof Error ? null : Number(field(stream, 'entries-added'))
    figures.set(topic, { group: ownGroup(broker, groups)?.name ?? null, entriesAdded })
  }
  return figures
}
