/** How many topics there may be, and how fast a client may make them. */
import { untilConnected } from '@sekali/broker/connect'
import { addNames, forgetName } from '@sekali/broker/names'
import { TopicLimit, TopicRate } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { createLog } from '@sekali/process/log'
import { connectStore } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { readNames } from '@sekali/store/names'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, inject, test } from 'vitest'
import { createRate } from '../src/clients/rate.ts'
import { createNewTopics } from '../src/publish/new-topics.ts'
import type { TopicLimits } from '../src/publish/topic-limits.ts'
import { eventBody, nowhere, post, problemIn } from './gateway.ts'
import { serveGateway } from './served-gateway.ts'

const log = createLog('gateway', 'silent')

/** A gateway of one's own, and what publishing to topics answers. */
async function ownGateway(topics: TopicLimits, databaseUrl: string = nowhere.databaseUrl) {
  const broker = await ownBroker()
  const { prefix } = broker
  const gateway = await serveGateway({ redisUrl: inject('redisUrl'), databaseUrl, prefix, topics })
  await untilConnected(gateway.broker, 15_000)
  const answer = async (body: string, type = 'application/json') => {
    const response = await fetch(`${gateway.url}/publish`, post(body, { 'Content-Type': type }))
    return { status: response.status, headers: response.headers, body: await problemIn(response) }
  }
  const bodies = (names: readonly string[]) => names.map((topic) => eventBody({ topic }))
  return {
    broker,
    publish: (topic: string) => answer(eventBody({ topic })),
    publishAll: (...names: string[]) => answer(`[${bodies(names).join(',')}]`),
    publishLines: (...names: string[]) => answer(bodies(names).join('\n'), 'application/x-ndjson'),
    drop: async (topic: string) => {
      const response = await fetch(`${gateway.url}/topics/${topic}`, { method: 'DELETE' })
      return { status: response.status, body: await problemIn(response) }
    },
    names: () => broker.redis.smembers(`${broker.prefix}:topics`),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await broker[Symbol.asyncDispose]()
    },
  }
}

const plenty = { burst: 1_000, perSecond: 1_000 }
const named = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `t${from + index}`)

test('there are as many topics as there may be, and events of those go on', async () => {
  await using own = await ownGateway({ max: 3, rate: plenty })
  for (const topic of named(3)) expect((await own.publish(topic)).status).toBe(200)
  const refused = await own.publish('t3')
  expect(refused).toMatchObject({ status: 429, body: { code: 'topic_limit', status: 429 } })
  expect(refused.headers.get('retry-after')).toBeNull()
  expect((await own.publish('t1')).status).toBe(200)
  expect((await own.names()).sort()).toEqual(named(3))
})

test('of a batch with one topic too many nothing is queued; of lines those before are', async () => {
  await using own = await ownGateway({ max: 3, rate: plenty })
  expect(await own.publishAll(...named(4))).toMatchObject({ status: 429, body: { code: 'topic_limit' } })
  expect(await own.names()).toEqual([])
  expect((await own.publishAll(...named(3))).status).toBe(200)
  expect(await own.publishLines('t0', 't1', 't9')).toMatchObject({ status: 429, body: { queued: 2 } })
})

test('gateways that make topics at once make no more than there may be', async () => {
  await using own = await ownGateway({ max: 10, rate: plenty })
  const answers = await Promise.all(named(30).map(own.publish))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10)
  expect(await own.names()).toHaveLength(10)
})

test('a client makes a number of topics at once, then some a second; what is there costs it nothing', async () => {
  await using own = await ownGateway({ max: 100, rate: { burst: 5, perSecond: 1 } })
  expect((await own.publishAll(...named(4))).status).toBe(200)
  const refused = await own.publishAll(...named(3, 4))
  expect(refused).toMatchObject({ status: 429, body: { code: 'topic_rate' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect((await own.publishAll(...named(4))).status).toBe(200)
  const never = await own.publishAll(...named(6, 50))
  expect(never).toMatchObject({ status: 429, body: { code: 'topic_rate' } })
  expect(never.headers.get('retry-after')).toBeNull()
})

test('topics that Redis has forgotten and PostgreSQL has are not new, but count', async () => {
  await using store = await ownStore()
  for (const topic of named(4)) await storeEvents(store, [event({ topic })])
  await using own = await ownGateway({ max: 5, rate: { burst: 1, perSecond: 1 } }, store.url)
  expect((await own.publishAll(...named(4))).status).toBe(200)
  expect((await own.publish('t4')).status).toBe(200)
  expect(await own.publish('t5')).toMatchObject({ status: 429 })
})

test('requests of a client that bring the same new topics at once make them once, and are charged once', async () => {
  await using own = await ownGateway({ max: 1_000, rate: { burst: 20, perSecond: 1 } })
  const answers = await Promise.all(Array.from({ length: 16 }, () => own.publishAll(...named(10))))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect((await own.publishAll(...named(10, 10))).status).toBe(200)
})

test('what is left for others is left also when a client makes topics at once', async () => {
  await using own = await ownGateway({ max: 20, rate: { burst: 10, perSecond: 1_000 } })
  const answers = await Promise.all(named(40).map(own.publish))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(15)
})

test('a bucket fills as time goes by, and each client has its own', () => {
  let now = 0
  const rate = createRate({ burst: 10, perSecond: 2 }, () => now)
  expect([rate.take('a', 10), rate.take('a', 1), rate.take('b', 10)]).toEqual([0, 0.5, 0])
  expect(rate.take('a', 11)).toBe(Number.POSITIVE_INFINITY)
  now = 500
  expect([rate.take('a', 1), rate.take('a', 1)]).toEqual([0, 0.5])
  now = 60_000
  expect([rate.take('a', 10), rate.take('a', 1)]).toEqual([0, 0.5])
})

test('topics that a client makes beyond its first are bounded by what is left for others', async () => {
  await using own = await ownGateway({ max: 20, rate: { burst: 10, perSecond: 1_000 } })
  const answers = []
  for (const topic of named(20)) answers.push((await own.publish(topic as TopicName)).body.code)
  expect(answers.filter((code) => code === undefined)).toHaveLength(15)
  expect(answers.at(-1)).toBe('client_limit')
})

test('a topic without an event can be dropped, and then there is room for another', async () => {
  await using store = await ownStore()
  await storeEvents(store, [event({ topic: 'full' })])
  await ensureTopics(store, ['stored' as TopicName])
  await using own = await ownGateway({ max: 3, rate: plenty }, store.url)
  await own.broker.redis.sadd(`${own.broker.prefix}:topics`, 'stored', 'registered', 'full')
  expect(await own.publish('new')).toMatchObject({ status: 429 })
  for (const topic of ['stored', 'registered']) {
    expect(await own.drop(topic)).toMatchObject({ status: 200, body: { status: 'dropped', topic } })
    expect(await own.drop(topic)).toMatchObject({ status: 404, body: { code: 'unknown_topic' } })
  }
  expect((await own.publish('new')).status).toBe(200)
  for (const topic of ['new', 'full']) {
    expect(await own.drop(topic)).toMatchObject({ status: 409, body: { code: 'topic_in_use' } })
  }
  expect((await readNames(store, ['full', 'stored'] as TopicName[])).known).toEqual(new Set(['full']))
  expect((await own.drop('%2e')).status).toBe(404)
})

const few = { max: 10, rate: { burst: 2, perSecond: 1_000 } }

test('a client may make any number of topics if they are dropped again', async () => {
  await using store = await ownStore()
  await using own = await ownGateway(few, store.url)
  for (const topic of named(40)) {
    expect(await own.publish(topic)).toMatchObject({ status: 200 })
    await own.broker.redis.del(`${own.broker.prefix}:stream:${topic}`)
    expect(await own.drop(topic)).toMatchObject({ status: 200 })
  }
})

test('topics that another gateway has dropped do not count for who made them', async () => {
  await using store = await ownStore()
  await using own = await ownGateway({ ...few, max: 20 }, store.url)
  await own.broker.redis.sadd(`${own.broker.prefix}:topics`, ...named(15, 100))
  for (const topic of named(18)) {
    expect(await own.publish(topic)).toMatchObject({ status: 200 })
    await own.broker.redis.del(`${own.broker.prefix}:stream:${topic}`)
    expect(await forgetName(own.broker, topic as TopicName)).toBe('dropped')
  }
})

test('a gateway sees after half a minute that another has dropped a topic', async () => {
  await using broker = await ownBroker()
  await using store = await ownStore()
  let now = 0
  const newTopics = createNewTopics({ broker, store, log }, { max: 1, rate: plenty }, () => now)
  const admit = async (topic: string) => await newTopics.admit('a', [event({ topic })])
  await admit('t0')
  expect(await forgetName(broker, 't0' as TopicName)).toBe('dropped')
  await addNames(broker, ['t1' as TopicName], { max: 1, there: 0 })
  await admit('t0')
  now = 31_000
  await expect(admit('t0')).rejects.toThrow(TopicLimit)
  await admit('t1')
})

test('without PostgreSQL a topic that Redis has lost is not new to a gateway that has seen it', async () => {
  await using broker = await ownBroker()
  await using store = connectStore({ url: nowhere.databaseUrl, poolMax: 1, name: 'test' }, log)
  let now = 0
  const limits = { max: 10, rate: { burst: 1, perSecond: 0 } }
  const newTopics = createNewTopics({ broker, store, log }, limits, () => now)
  const admit = async (topic: string) => await newTopics.admit('a', [event({ topic })])
  await admit('t0')
  await broker.redis.del(`${broker.prefix}:topics`)
  now = 31_000
  await admit('t0')
  await expect(admit('t1')).rejects.toThrow(TopicRate)
})
