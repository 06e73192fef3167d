import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { idsOf, numbered, ownStack } from './stack.ts'

test('a Redis that is full drains all the same, also to consumers that start only then', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'read' })
  await stack.append(numbered(50))
  await victim.exited
  await stack.append(numbered(50, 51))
  await stack.broker.redis.config('SET', 'maxmemory', '1mb')
  await expect(stack.append(numbered(1, 101))).rejects.toThrow()
  await using _heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
})

test('a Redis that starts again and is full drains as well', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await using first = stack.consumer('first')
  await stack.append(numbered(50))
  await stack.settled()
  first.signal('SIGTERM')
  await first.exited
  await stack.append(numbered(50, 51))
  await redis.kill()
  await redis.start()
  await eventually(() => stack.broker.redis.config('SET', 'maxmemory', '1mb'))
  await expect(stack.append(numbered(1, 101))).rejects.toThrow()
  await using _heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0, lost: 0 })
})
