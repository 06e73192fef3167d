/**
 * The doorbell says that a topic has news. It is a hint: pub/sub loses it when nobody listens, and nothing but
 * promptness depends on it, because consumers also look which topics have entries in flight, once a second.
 */
import { isTopicName, type TopicName } from '@sekali/core/event'
import { ask, type Broker } from '../redis/connect.ts'
import { doorbellChannel } from '../redis/keys.ts'
import { subscribe } from './subscribe.ts'

/** What is rung for in this time goes together, and the next ring comes so much later: each wakes every consumer. */
const coalesceMs = 1
const pauseMs = 5

/** A function that rings for a topic soon, and never fails. */
export function createDoorbell(broker: Broker): (topic: TopicName) => void {
  const ringing = new Set<TopicName>()
  let rangAt = 0
  const ring = () => {
    rangAt = performance.now()
    const topics = [...ringing]
    ringing.clear()
    void passOn(broker, topics).catch(() => undefined) // a lost hint costs a second at most
  }
  return (topic) => {
    if (ringing.size === 0) {
      setTimeout(ring, Math.max(coalesceMs, rangAt + pauseMs - performance.now())).unref()
    }
    ringing.add(topic)
  }
}

/** Calls `onNews` with a topic's name whenever one has news, on a connection of its own that heals by itself. */
export const listen = (broker: Broker, onNews: (topic: TopicName) => void): AsyncDisposable =>
  subscribe(broker, doorbellChannel(broker), (message) => {
    // Anybody may publish there.
    for (const topic of message.split(' ')) if (isTopicName(topic)) onNews(topic as TopicName)
  })

/** Rings at once for topics, for instance those that the caller leaves with news because it is about to stop. */
export const passOn = (broker: Broker, topics: readonly TopicName[]): Promise<unknown> =>
  ask(broker, 'doorbell', (redis) => redis.publish(doorbellChannel(broker), topics.join(' ')))
