/** Who queues a topic when it has news: on real Redis, without turns. */
import { channelOf, channelsCount } from '@sekali/broker/channels'
import type { Broker } from '@sekali/broker/connect'
import { announce, leave, readConsumers } from '@sekali/broker/presence'
import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { createLog } from '@sekali/process/log'
import { createWorkQueue } from '@sekali/process/work-queue'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { expect, test, vi } from 'vitest'
import { createPlaces } from '../src/sharing/places.ts'
import { createSharing } from '../src/sharing/sharing.ts'
import { numbered, ownStack } from './stack.ts'

const names = ['one', 'two', 'three']
const topics = Array.from({ length: 200 }, (_, n) => `topic-${n}` as TopicName)
const present = (name: string) => ({ name, pid: 1, startedAt: '', lastTurnAt: null, turns: 0 })

/** A topic in which the consumer `two` has that place beside the two others. */
function topicWith(place: string): TopicName {
  const places = createPlaces('two')
  places.update(names)
  const topic = topics.find((one) => places.of(one) === place)
  if (topic === undefined) throw new Error(`no topic with ${place}`)
  return topic
}

/** The consumer `two`, beside others that are announced and do nothing. */
async function two(broker: Broker) {
  for (const name of names) await announce(broker, { ...present(name), channels: channelsCount })
  const queue = createWorkQueue<TopicName>()
  const caughtUp = new Map<TopicName, Position>()
  const sharing = createSharing(
    { broker, consumer: 'two', log: createLog('test', 'silent') },
    queue,
    caughtUp,
  )
  await sharing.look()
  // It has left the channels that it had when it was alone.
  await eventually(async () => {
    const [mine, other] = [topicWith('preferred'), topicWith('none')].map(
      (topic) => `${broker.prefix}:doorbell:${channelOf(topic)}`,
    )
    expect(await broker.redis.pubsub('NUMSUB', String(mine), String(other))).toEqual([mine, 1, other, 0])
  })
  const { prefix, redis } = broker
  return {
    sharing,
    caughtUp,
    taken: () => queue.take(99),
    ring: (...words: string[]) => redis.publish(`${prefix}:doorbell`, words.join(' ')),
    ringChannel: (topic: TopicName, ...words: string[]) =>
      redis.publish(`${prefix}:doorbell:${channelOf(topic)}`, words.join(' ')),
    /** The topic has entries in flight up to this id, */
    mark: (topic: TopicName, id: string) => redis.hset(`${prefix}:dirty`, topic, id),
    unmark: (topic: TopicName) => redis.hdel(`${prefix}:dirty`, topic),
    /** and is accounted for up to that one. */
    remember: (topic: TopicName, id: string) =>
      redis.hset(`${prefix}:remembered`, topic, `1 5 ${id} 5 7 0 - group`),
    [Symbol.asyncDispose]: () => sharing[Symbol.asyncDispose](),
  }
}

test('the preferred consumer takes a topic at once, a deputy and others leave it alone', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const [mine, deputy, none] = ['preferred', 'deputy', 'none'].map(topicWith) as [
    TopicName,
    TopicName,
    TopicName,
  ]
  await consumer.ring(none, deputy, mine)
  await eventually(() => expect(consumer.taken()).toEqual([mine]))
})

test('a topic that stands still is taken by the deputy, and is as its own after the second time', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const topic = topicWith('deputy')
  await consumer.mark(topic, '5-0')
  await consumer.remember(topic, '4-0')
  for (let time = 0; time < 2; time++) {
    await consumer.ringChannel(topic, topic)
    await eventually(() => expect(consumer.taken()).toEqual([topic]))
  }
  await consumer.ringChannel(topic, topic)
  const mine = topicWith('preferred')
  await consumer.ring(mine)
  // In the order in which they were rung for: without waiting.
  const taken: TopicName[] = []
  await eventually(() => {
    taken.push(...consumer.taken())
    expect(taken).toEqual([topic, mine])
  })
  // Unless another one turns out to have its turns after all.
  consumer.sharing.onHeld(topic)
  await consumer.unmark(topic)
  await consumer.ring(topic, mine)
  await eventually(() => expect(consumer.taken()).toEqual([mine]))
})

test('whoever finds by itself that a topic has news steps in as well, though no channel of its own', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const topic = topicWith('none')
  const deputy = topicWith('deputy')
  await consumer.mark(topic, '5-0')
  await consumer.mark(deputy, '5-0')
  // What a sweep finds for the first time is left to those who have a place there.
  consumer.sharing.offerMarked(topic, false)
  consumer.sharing.offerMarked(deputy, false)
  await eventually(() => expect(consumer.taken()).toEqual([deputy]))
  consumer.sharing.offerMarked(topic, true)
  await eventually(() => expect(consumer.taken()).toEqual([topic]))
})

test('a topic that moves on or is done is left to the consumer that has its turns', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const topic = topicWith('deputy')
  const looked = vi.spyOn(broker.redis, 'hmget') // which goes on to ask
  await consumer.mark(topic, '9999-0')
  await consumer.remember(topic, '10-0')
  await consumer.ringChannel(topic, topic)
  for (let position = 11; looked.mock.calls.length < 12; position++) {
    await consumer.remember(topic, `${position}-0`)
  }
  await consumer.unmark(topic)
  await eventually(() => expect(consumer.caughtUp.get(topic)).toMatch(/^\d+-0$/))
  expect(consumer.taken()).toEqual([])
})

test('entries without a mark are found by a scan, and count once the position has passed them', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const done = topicWith('deputy')
  const foreign = topicWith('none')
  await consumer.remember(done, '8-0')
  await consumer.remember(foreign, '3-0')
  consumer.sharing.offer(done, '8-0' as Position)
  consumer.sharing.offer(foreign, '4-0' as Position)
  await eventually(() => expect(consumer.taken()).toEqual([foreign]))
  expect(consumer.caughtUp.get(done)).toBe('8-0')
})

test('what a busy or leaving consumer hands over is taken at once, and not by itself', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const deputy = topicWith('deputy')
  await consumer.ringChannel(deputy, '*two', deputy)
  await consumer.ringChannel(deputy, '*one', deputy)
  await eventually(() => expect(consumer.taken()).toEqual([deputy]))
  const mine = topicWith('preferred')
  const heard: string[] = []
  await using listener = await ownBroker(undefined, broker.prefix)
  listener.redis.on('message', (_channel, message) => heard.push(message))
  await listener.redis.subscribe(`${broker.prefix}:doorbell:${channelOf(mine)}`)
  consumer.sharing.onCrowded([topicWith('none'), mine])
  await eventually(() => expect(heard).toEqual([`*two ${mine}`]))
})

test('the topics of a consumer that leaves, or shares none any more, are others’ at once', async () => {
  await using broker = await ownBroker()
  await using consumer = await two(broker)
  const topic = topicWith('deputy')
  const preferred = names.filter((name) => {
    const places = createPlaces(name)
    places.update(names)
    return places.of(topic) === 'preferred'
  })[0] as string
  await consumer.ring(`!${preferred}`, topic)
  await eventually(() => expect(consumer.taken()).toEqual([topic]))
  // It is still on the list, so it is back with the next look; and gone for good when it is not, or cannot take turns.
  await consumer.sharing.look()
  await announce(broker, present(preferred))
  await consumer.sharing.look()
  await consumer.ring(topic)
  await eventually(() => expect(consumer.taken()).toEqual([topic]))
  await leave(broker, preferred)
  expect((await readConsumers(broker)).map(({ name }) => name)).not.toContain(preferred)
})

test('consumers share topics, and those of one that is killed go on before anybody knows that it is gone [P9]', async () => {
  await using stack = await ownStack()
  await using one = stack.consumer('one')
  await using _two = stack.consumer('two')
  const places = createPlaces('one')
  places.update(['one', 'two'])
  const topic = topics.find((name) => places.of(name) === 'preferred') as TopicName
  await eventually(async () => {
    const sharing = (await readConsumers(stack.broker)).map(({ channels }) => channels)
    expect(sharing).toEqual([channelsCount, channelsCount])
  })
  await stack.append(numbered(50, 1, { topic }))
  await stack.settled(topic)
  one.signal('SIGKILL')
  await one.exited
  await stack.append(numbered(50, 51, { topic }))
  expect(await stack.settled(topic)).toMatchObject({ stored: 100, duplicates: 0, lost: 0 })
  // It is gone in fact, and on the list all the same: nobody had to wait for that.
  await stack.append(numbered(50, 101, { topic }))
  expect(await stack.settled(topic)).toMatchObject({ stored: 150, duplicates: 0, lost: 0 })
})
