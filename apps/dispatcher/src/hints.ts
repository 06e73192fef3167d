import type { Broker } from '@sekali/broker/connect'
import { listenToHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'

/** Hints are gathered for this time: a turn for each commit would cost PostgreSQL more than it gains. */
const gatherMs = 5

/** Tells of each topic of which a consumer reports a commit. */
export function listenToHints(broker: Broker, onStored: (topic: TopicName) => void): AsyncDisposable {
  const topics = new Set<TopicName>()
  const tellAll = () => {
    const all = [...topics]
    topics.clear()
    for (const topic of all) onStored(topic)
  }
  return listenToHeads(broker, ({ topic }) => {
    if (topics.size === 0) setTimeout(tellAll, gatherMs).unref()
    topics.add(topic)
  })
}
