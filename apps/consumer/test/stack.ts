import { createAppender } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import { createDoorbell } from '@sekali/broker/doorbell'
import { readStreams } from '@sekali/broker/streams'
import type { Event, TopicName } from '@sekali/core/event'
import { createLog, type Logger } from '@sekali/process/log'
import { createMetrics } from '@sekali/process/metrics'
import type { Store } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { readTopic } from '@sekali/store/read-topic'
import { readTopics } from '@sekali/store/topics'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { at, event } from '@sekali/testkit/sample'
import { expect, inject } from 'vitest'
import { addConsumerMetrics } from '../src/metrics/turns.ts'
import { runTurns } from '../src/turn.ts'
import type { Keeper } from '../src/upkeep/keep.ts'

/** A database and keys of one's own, a way to append, and consumers on them. */
export const ownStack = async (redisUrl = inject('redisUrl'), postgresUrl = inject('postgresUrl')) =>
  stackOn(await ownStore(postgresUrl), redisUrl)

/** The same on a database that is there. */
export async function stackOn(store: Store & { readonly url: string }, redisUrl = inject('redisUrl')) {
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

interface StoreAllOptions {
  readonly topic?: string
  readonly packsMax?: number
  readonly log?: Logger
  readonly keeper?: Keeper
}

/**
 * A turn of the topic in this process, which stores up to so many packs. Without a keeper nothing stays in Redis. Returns the
 * topic's figures then.
 */
export async function storeAll(
  { broker, store, figures }: Pick<OwnStack, 'broker' | 'store' | 'figures'>,
  { topic = 'orders', packsMax = 1_000, log = createLog('test', 'silent'), keeper }: StoreAllOptions = {},
) {
  const topics = [topic as TopicName]
  await ensureTopics(store, topics)
  const context = {
    broker,
    store,
    consumer: 'passing',
    log,
    readMs: 2_000,
    metrics: addConsumerMetrics(createMetrics()),
    at: () => {},
    ...(keeper && { keeper }),
  }
  const no = () => false
  await runTurns(context, { topics, turnsMax: 1, packsMax: () => packsMax, isSuspect: no, isUntidy: no })
  return await figures(topic)
}

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
