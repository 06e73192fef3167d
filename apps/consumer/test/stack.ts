import { createAppender } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import { createDoorbell } from '@sekali/broker/doorbell'
import { readStreams } from '@sekali/broker/streams'
import type { Event } from '@sekali/core/event'
import type { Store } from '@sekali/store/connect'
import { readTopic } from '@sekali/store/read-topic'
import { readTopics } from '@sekali/store/topics'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { at, event } from '@sekali/testkit/sample'
import { expect, inject } from 'vitest'

/** A database and keys of one's own, a way to append, and consumers on them. */
export async function ownStack(redisUrl = inject('redisUrl'), postgresUrl = inject('postgresUrl')) {
  const store = await ownStore(postgresUrl)
  const broker = await ownBroker(redisUrl)
  const appender = createAppender(broker, createDoorbell(broker))
  const env = { REDIS_URL: redisUrl, DATABASE_URL: store.url, REDIS_PREFIX: broker.prefix }
  return {
    store,
    broker,
    consumer: (name: string, more: Record<string, string> = {}) =>
      startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: name, ...more }),
    append: (events: Event[]) => Promise.all(events.map(appender.append)),
    /** Waits until all that was ever appended to the topic is accounted for and acknowledged; its figures then. */
    settled: (topic = 'orders') => settled(store, broker, topic),
    /** How many packs the topic's stream has. */
    packs: (topic = 'orders') => broker.redis.xlen(streamOf(broker, topic)),
    /** How many of them are delivered and not acknowledged. */
    pending: async (topic = 'orders') => {
      const group = (await readStreams(broker)).get(topic)?.group
      return (await broker.redis.xpending(streamOf(broker, topic), String(group)))[0]
    },
    figures: async (topic = 'orders') => (await readTopics(store)).find((one) => one.topic === topic),
    /** The whole log of a topic, by seq. */
    async log(topic = 'orders') {
      const { events, more } = await readTopic(store, { topic, after: at(0), limit: 100_000 })
      expect(more).toBe(false)
      return events
    },
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

export type OwnStack = Awaited<ReturnType<typeof ownStack>>

const settled = (store: Store, broker: Broker, topic: string) =>
  eventually(async () => {
    const figures = (await readTopics(store)).find((one) => one.topic === topic)
    const stream = (await readStreams(broker)).get(topic)
    expect(figures).toMatchObject({ group: stream?.group, accounted: stream?.entriesAdded })
    const [pending] = await broker.redis.xpending(streamOf(broker, topic), String(stream?.group))
    expect(pending).toBe(0)
    return figures
  }, 30_000)

export const streamOf = ({ prefix }: Broker, topic = 'orders') => `${prefix}:stream:${topic}`

/** Appends without the doorbell and without a look at the values: event id, timestamp, source, payload. */
export const appendRaw = (broker: Broker, ...parts: [string, string, string, string]) =>
  broker.redis.xadd(streamOf(broker), '*', 'e', parts.join('\0'))

/** Events e`from`, e`from + 1`, … */
export const numbered = (count: number, from = 1, differs: Parameters<typeof event>[0] = {}): Event[] =>
  Array.from({ length: count }, (_, index) => {
    const number = from + index
    return event({ eventId: `e${number}`, payload: `{"n":${number}}`, ...differs })
  })

export const idsOf = (events: readonly { eventId: string }[]) => events.map(({ eventId }) => eventId)
