import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { listenToHeads } from '../src/hints/heads.ts'
import { headsChannel } from '../src/redis/keys.ts'

test('what is no announcement is passed over, whoever publishes it', async () => {
  await using broker = await ownBroker()
  const heard: unknown[] = []
  await using _listener = listenToHeads(broker, (head) => heard.push(head))
  await eventually(async () => {
    for (const message of ['', '1 orders 5', '1 orders x 1-1', 'x'.repeat(10_000), '7 orders 42 17-3']) {
      await broker.redis.publish(headsChannel(broker), message)
    }
    expect(heard[0]).toEqual({ topicId: 7, topic: 'orders', head: 42, position: '17-3' })
  })
  expect(new Set(heard.map((head) => JSON.stringify(head))).size).toBe(1)
})
