import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { idsOf, numbered, ownStack } from './stack.ts'

test('a Redis that is full drains, also to consumers that start only then, and when it has started again [P9]', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  const fill = async () => {
    await eventually(() => stack.broker.redis.config('SET', 'maxmemory', '1mb'))
    await expect(stack.append(numbered(1, 1_000))).rejects.toThrow()
  }
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'read' })
  await stack.append(numbered(50))
  await victim.exited
  await stack.append(numbered(50, 51))
  await fill()
  await using heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0, lost: 0 })

  heir.signal('SIGTERM')
  await heir.exited
  await stack.broker.redis.config('SET', 'maxmemory', '0')
  await stack.append(numbered(50, 101))
  await redis.kill()
  await redis.start()
  await fill()
  await using _last = stack.consumer('last')
  expect(await stack.settled()).toMatchObject({ stored: 150, duplicates: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(150)))
})
