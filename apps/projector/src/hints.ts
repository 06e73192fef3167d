import type { Broker } from '@sekali/broker/connect'
import { listenToHeads } from '@sekali/broker/heads'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { LoadedDefinition } from './definitions/held-process.ts'

/** Hints are gathered for this time: a turn for each commit would cost PostgreSQL more than all the folding. */
const gatherMs = 20

/** Queues the projections that fold a topic of which a consumer reports a commit. */
export function listenToHints(
  broker: Broker,
  definitions: () => Iterable<LoadedDefinition>,
  queue: WorkQueue<string>,
): AsyncDisposable {
  const topics = new Set<string>()
  const queueAll = () => {
    for (const { name, topicRegex } of definitions()) {
      if (topics.values().some((topic) => topicRegex.test(topic))) queue.add(name)
    }
    topics.clear()
  }
  return listenToHeads(broker, ({ topic }) => {
    if (topics.size === 0) setTimeout(queueAll, gatherMs).unref()
    topics.add(topic)
  })
}
