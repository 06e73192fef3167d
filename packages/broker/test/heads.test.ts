import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import type { Position } from '@sekali/core/position'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { announceHeads, listenToHeads } from '../src/hints/heads.ts'
import { headsChannel } from '../src/redis/keys.ts'

test('what is no announcement is passed over, whoever publishes it', async () => {
  await using broker = await ownBroker()
  const heard: unknown[] = []
  await using _listener = listenToHeads(broker, (head) => heard.push(head))
  await eventually(async () => {
    for (const message of ['', '1 orders 5', '1 orders x 1-1', 'x'.repeat(10_000), '7 orders 42 17-3']) {
      await broker.redis.publish(headsChannel(broker), message)
    }
    expect(heard[0]).toEqual({ topicId: 7, topic: 'orders', head: 42, position: '17-3', epoch: 1 })
  })
  expect(new Set(heard.map((head) => JSON.stringify(head))).size).toBe(1)
})

test('an announcement names the epoch of a log that was restored, and is as before in the first one', async () => {
  await using broker = await ownBroker()
  await using listener = await ownBroker()
  const head: Head = { topicId: 7, topic: 'a' as TopicName, head: 4, position: '1-0' as Position, epoch: 1 }
  const messages: string[] = []
  await listener.redis.subscribe(headsChannel(broker))
  listener.redis.on('message', (_channel, message) => messages.push(message))
  const heard: Head[] = []
  await using _listener = listenToHeads(broker, (head) => heard.push(head))
  await eventually(async () => {
    expect(await announceHeads(broker, broker.redis, [head, { ...head, epoch: 2 }])).toBe(2) // both listen
  })
  await eventually(() => expect(heard.slice(-2)).toEqual([head, { ...head, epoch: 2 }]))
  await eventually(() => expect(messages.at(-1)).toBe('7 a 4 1-0\n7 a 4 1-0 2'))
})
