import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { createDoorbell, listen } from '../src/hints/doorbell.ts'
import { many } from './sample.ts'

test('the doorbell names each topic that has news', async () => {
  await using broker = await ownBroker()
  const heard: string[] = []
  await using _listener = listen(broker, (topic) => heard.push(topic))
  const appender = createAppender(broker, createDoorbell(broker))
  await eventually(async () => {
    await Promise.all([...many(5, 'a'), ...many(5, 'b')].map(appender.append))
    expect(new Set(heard)).toEqual(new Set(['a', 'b']))
  })
})

test('a doorbell that cannot subscribe again tries until it can, and ends no process', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  const heard: string[] = []
  await using _listener = listen(broker, (topic) => heard.push(topic))
  const ring = createDoorbell(broker)
  const rings = (topic: string) =>
    eventually(async () => {
      ring(topic as TopicName)
      expect(heard).toContain(topic)
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
