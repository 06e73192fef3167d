// The rows of commit and of COPY are the same: made by one generator, in batches of one topic each.

import type { EventId, Source, TopicName } from '@sekali/core/event'
import type { Received } from '@sekali/store/commit'
import { eventsOf, type IdKind, reportTopics, type Workload } from '../events.ts'

export interface Batch {
  readonly topic: TopicName
  readonly received: readonly Received[]
}

const batchEvents = 1_000

let last: { readonly asked: string; readonly batches: Batch[] } | undefined

/** As {@link newBatches}: the sides of a round ask for the same. */
export function batchesOf(seed: number, events: number, ids: IdKind = 'random'): readonly Batch[] {
  const asked = `${seed} ${events} ${ids}`
  if (last?.asked !== asked) last = { asked, batches: newBatches(seed, events, ids) }
  return last.batches
}

/** Events of the five topics, none of them twice, in batches of a thousand of one topic, topic after topic in turn. */
function newBatches(seed: number, events: number, ids: IdKind): Batch[] {
  const perTopic = Math.ceil(events / reportTopics.length / batchEvents) * batchEvents
  const byTopic = reportTopics.map((topic, index) => {
    const workload: Workload = {
      seed: seed * reportTopics.length + index,
      events: perTopic,
      duplicates: 0,
      topics: [topic],
      ids,
    }
    return Array.from(
      eventsOf(workload),
      (event): Received => ({
        event: {
          topic: event.topic as TopicName,
          eventId: event.eventId as EventId,
          timestamp: event.timestamp.replace('+00:00', 'Z'),
          source: event.source as Source,
          payload: event.payload,
        },
        receivedAt: event.timestamp.replace('+00:00', 'Z'),
      }),
    )
  })
  return Array.from({ length: perTopic / batchEvents }, (_, index) =>
    byTopic.map((received, topic) => ({
      topic: reportTopics[topic] as TopicName,
      received: received.slice(index * batchEvents, (index + 1) * batchEvents),
    })),
  ).flat()
}
