/**
 * A consumer says after COMMIT how far the topic has come, for whoever waits for what is stored. A hint like the
 * doorbell: it can be lost, come twice or come late, so whoever waits also looks into the store now and then.
 */
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import type { Redis } from 'ioredis'
import type { Broker } from '../redis/connect.ts'
import { headsChannel } from '../redis/keys.ts'
import { subscribe } from './subscribe.ts'

/** In one message, because each wakes everybody who listens. */
export const announceHeads = (broker: Broker, redis: Redis, heads: readonly Head[]): Promise<unknown> =>
  redis.publish(headsChannel(broker), heads.map(announcementOf).join('\n'))

// The first epoch is not named: processes of the version before epochs know no such word.
const announcementOf = ({ topicId, topic, head, position, epoch }: Head): string =>
  `${topicId} ${topic} ${head} ${position}${epoch > 1 ? ` ${epoch}` : ''}`

/** Calls `onHead` for each that a consumer announces, on a connection of its own that heals by itself. */
export const listenToHeads = (broker: Broker, onHead: (head: Head) => void): AsyncDisposable =>
  subscribe(broker, headsChannel(broker), (message) => {
    for (const line of message.split('\n')) {
      const [, topicId, topic, head, position, epoch = 1] = line.match(announcement) ?? []
      if (position === undefined) continue // not one of ours: anybody may publish there
      onHead({
        topicId: Number(topicId),
        topic: topic as TopicName,
        head: Number(head),
        epoch: Number(epoch),
        position: position as Position,
      })
    }
  })

const announcement = /^(\d+) ([\w.-]+) (\d+) (\d+-\d+)(?: (\d+))?$/
