/**
 * The doorbell says that a topic has news. It is a hint: pub/sub loses it when nobody listens, and nothing but
 * promptness depends on it, because consumers also look at every topic about once a second.
 */
import type { TopicName } from '@sekali/core/event'
import { ask, askAll, type Broker } from './connect.ts'
import { doorbellChannel } from './keys.ts'
import { subscribe } from './subscribe.ts'

/** At most one ring a topic in this time, so that a busy topic does not wake the consumers for every event. */
const coalesceMs = 1

/** A function that rings for a topic soon, and never fails. */
export function createDoorbell(broker: Broker): (topic: TopicName) => void {
  const ringing = new Set<TopicName>()
  const ring = () => {
    const topics = [...ringing]
    ringing.clear()
    void askAll(broker, 'doorbell', (redis) =>
      topics.map((topic) => redis.publish(doorbellChannel(broker), topic)),
    ).catch(() => undefined) // a lost hint costs a second at most
  }
  return (topic) => {
    if (ringing.size === 0) setTimeout(ring, coalesceMs).unref()
    ringing.add(topic)
  }
}

/** Calls `onNews` with a topic's name whenever one has news, on a connection of its own that heals by itself. */
export const listen = (broker: Broker, onNews: (topic: TopicName) => void): AsyncDisposable =>
  subscribe(broker, doorbellChannel(broker), (topic) => onNews(topic as TopicName))

/** Rings at once for topics that the caller leaves with news: it is about to stop. */
export const passOn = (broker: Broker, topics: Iterable<TopicName>): Promise<unknown> =>
  ask(broker, 'doorbell', async (redis) => {
    for (const topic of topics) await redis.publish(doorbellChannel(broker), topic)
  })
