import type { Broker } from '@sekali/broker/connect'
import { listenToHeads } from '@sekali/broker/heads'
import type { WorkQueue } from '@sekali/process/work-queue'
import type { LoadedDefinition } from './definitions/folding.ts'

/** Hints are gathered for so long: a turn a commit would cost PostgreSQL more than all the folding. */
const gatherMs = 20

/** Makes news of what consumers say they have stored. */
export function listenToHints(
  broker: Broker,
  definitions: () => Iterable<LoadedDefinition>,
  queue: WorkQueue<string>,
): AsyncDisposable {
  const topics = new Set<string>()
  const tell = () => {
    for (const { name, topicRegex } of definitions()) {
      if (topics.values().some((topic) => topicRegex.test(topic))) queue.add(name)
    }
    topics.clear()
  }
  return listenToHeads(broker, ({ topic }) => {
    if (topics.size === 0) setTimeout(tell, gatherMs).unref()
    topics.add(topic)
  })
}
