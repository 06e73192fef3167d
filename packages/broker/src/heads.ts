/**
 * A consumer says after COMMIT how far the topic has come, for whoever waits for what is stored. A hint like the
 * doorbell: it can be lost, come twice or come late, so whoever waits also looks into the store now and then.
 */
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import type { Broker } from './connect.ts'
import { headsChannel } from './keys.ts'
import { subscribe } from './subscribe.ts'

export const announceHead = (broker: Broker, redis: Redis, head: Head): Promise<unknown> =>
  redis.publish(headsChannel(broker), `${head.topicId} ${head.topic} ${head.head} ${head.position}`)

/** Calls `onHead` whenever a consumer announces one, on a connection of its own that heals by itself. */
export const listenToHeads = (broker: Broker, onHead: (head: Head) => void): AsyncDisposable =>
  subscribe(broker, headsChannel(broker), (message) => {
    const [, topicId, topic, head, position] = message.match(announcement) ?? []
    if (position === undefined) return // not one of ours: anybody may publish there
    onHead({
      topicId: Number(topicId),
      topic: topic as TopicName,
      head: Number(head),
      position: position as Position,
    })
  })

const announcement = /^(\d+) ([\w.-]+) (\d+) (\d+-\d+)$/
