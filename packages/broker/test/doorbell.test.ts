import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { channelOf, channelsCount } from '../src/hints/channels.ts'
import { createDoorbell, handOver, listen, passOn } from '../src/hints/doorbell.ts'
import type { Broker } from '../src/redis/connect.ts'
import { doorbellChannel } from '../src/redis/keys.ts'
import { many } from './sample.ts'

const name = (topic: string) => topic as TopicName

/** Somebody who listens, and what was heard: `topic`, or `topic!` if it is anybody's. */
function ears(broker: Broker) {
  const heard: string[] = []
  const left: string[] = []
  const doorbell = listen(
    broker,
    (topic, isAnybodys) => heard.push(isAnybodys ? `${topic}!` : topic),
    (consumer) => left.push(consumer),
  )
  return { ...doorbell, heard, left }
}

/** Waits until so many listen to a channel of the doorbell; without a number, to that which is for all. */
const listening = (broker: Broker, count: number, channel?: number) =>
  eventually(async () => {
    const all = doorbellChannel(broker)
    const one = channel === undefined ? all : `${all}:${channel}`
    expect(await broker.redis.pubsub('NUMSUB', one)).toEqual([one, count])
  })

test('the doorbell names each topic that has news', async () => {
  await using broker = await ownBroker()
  await using all = ears(broker)
  const appender = createAppender(broker, createDoorbell(broker))
  await eventually(async () => {
    await Promise.all([...many(5, 'a'), ...many(5, 'b')].map(appender.append))
    expect(new Set(all.heard)).toEqual(new Set(['a', 'b']))
  })
})

test('of many consumers those alone are woken whom the topic concerns', async () => {
  await using broker = await ownBroker()
  await using one = ears(broker)
  await using other = ears(broker)
  await using parts = new AsyncDisposableStack()
  const rest = Array.from({ length: 6 }, () => parts.use(ears(broker)))
  const quiet = channelOf(name('quiet'))
  for (const { change } of [one, other]) change([quiet])
  for (const { change } of rest) change([(quiet + 1) % channelsCount])
  await listening(broker, 8)
  await listening(broker, 2, quiet)
  await listening(broker, 6, (quiet + 1) % channelsCount)

  const ring = createDoorbell(broker)
  const all = [one, other, ...rest]
  // The first ring goes to all, and counts them. So does one of topics of many channels: it would wake as many.
  ring(name('first'))
  await eventually(() => expect(all.map(({ heard }) => heard)).toEqual(all.map(() => ['first'])))
  ring(name('quiet'))
  await eventually(() => expect([one.heard, other.heard]).toEqual(Array(2).fill(['first', 'quiet'])))
  const topics = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  expect(new Set(topics.map((topic) => channelOf(name(topic)))).size).toBeGreaterThan(3)
  for (const topic of topics) ring(name(topic))
  await eventually(() => {
    expect(rest.map(({ heard }) => heard)).toEqual(rest.map(() => ['first', ...topics]))
  })
})

test('a topic to whose channel nobody listens is rung for all, and is anybody’s', async () => {
  await using broker = await ownBroker()
  await using parts = new AsyncDisposableStack()
  const all = Array.from({ length: 3 }, () => parts.use(ears(broker)))
  await listening(broker, 3)
  const ring = createDoorbell(broker)
  ring(name('first'))
  await eventually(() => expect(all.map(({ heard }) => heard)).toEqual(all.map(() => ['first'])))
  ring(name('orphan'))
  await eventually(() => expect(all.map(({ heard }) => heard)).toEqual(all.map(() => ['first', 'orphan!'])))
})

test('who leaves says so to all, and who has too much to do says so to those who step in', async () => {
  await using broker = await ownBroker()
  await using deputy = ears(broker)
  await using other = ears(broker)
  deputy.change([channelOf(name('a'))])
  await listening(broker, 2)
  await listening(broker, 1, channelOf(name('a')))
  await handOver(broker, [name('a')], 'busy')
  await passOn(broker, [name('b')], 'leaver')
  await eventually(() => expect([deputy.heard, other.heard]).toEqual([['a!', 'b'], ['b']]))
  await eventually(() => expect([deputy.left, other.left]).toEqual([['leaver'], ['leaver']]))
})

test('processes of the version before channels ring for consumers, and are rung for', async () => {
  await using broker = await ownBroker()
  await using older = await ownBroker()
  const heardByOlder: string[] = []
  // As d25da9c and later versions listen: to the one channel, for words that may be names of topics.
  older.redis.on('message', (_channel, message) => {
    heardByOlder.push(...message.split(' ').filter((word) => /^[\w-]+(\.[\w-]+)*$/.test(word)))
  })
  await older.redis.subscribe(doorbellChannel(broker))
  await using consumer = ears(broker)
  await listening(broker, 2)
  // As they ring.
  await broker.redis.publish(doorbellChannel(broker), 'from-older and-another')
  await eventually(() => expect(consumer.heard).toEqual(['from-older', 'and-another']))

  // With older consumers alone, as many as it takes for a ring by channels.
  await consumer[Symbol.asyncDispose]()
  await using parts = new AsyncDisposableStack()
  for (let n = 0; n < 3; n++) {
    const another = parts.use(await ownBroker())
    await another.redis.subscribe(doorbellChannel(broker))
  }
  await listening(broker, 4)
  heardByOlder.length = 0
  const ring = createDoorbell(broker)
  for (const topic of ['first', 'second', 'third']) {
    ring(name(topic))
    await eventually(() => expect(heardByOlder.at(-1)).toBe(topic))
  }
  await passOn(broker, [name('left')], 'newer')
  await eventually(() => expect(heardByOlder).toEqual(['first', 'second', 'third', 'left']))
})

test('channels that change while there is no connection are listened to once there is', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  await using consumer = ears(broker)
  consumer.change([1, 2])
  await listening(broker, 1, 1)
  await broker.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  consumer.change([2, 3])
  for (const [channel, count] of [
    [1, 0],
    [2, 1],
    [3, 1],
  ] as const) {
    await listening(broker, count, channel)
  }
  await listening(broker, 1)
})

test('a doorbell that cannot subscribe again tries until it can, and ends no process', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  await using all = ears(broker)
  const ring = createDoorbell(broker)
  const rings = (topic: string) =>
    eventually(async () => {
      ring(name(topic))
      expect(all.heard).toContain(topic)
    })
  await rings('before')
  await broker.redis.call('ACL', 'SETUSER', 'default', '-subscribe')
  await broker.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await eventually(async () => {
    const log = (await broker.redis.call('ACL', 'LOG')) as unknown[]
    expect(log.length).toBeGreaterThan(0)
  })
  // A rejection that nobody listens for would end the process; vitest fails the run for it.
  await broker.redis.call('ACL', 'SETUSER', 'default', '+subscribe')
  await rings('after')
})
