/** How much of Redis's memory what is kept may take, and what it takes. */
import { readKeep, readKeptBytes } from '@sekali/broker/keep'
import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { entriesOf, keepMs, orders, ownKept } from './kept.ts'
import { streamOf } from './stack.ts'

test('a quarter of the memory of Redis is kept at most, and about as much as is said', async () => {
  await using redis = await ownRedis(['--maxmemory', '32mb'])
  await using stack = await ownKept(redis.url)
  await stack.keeper.look()
  const bytesMax = 8 * 1024 * 1024
  expect(stack.keeper.limits()).toEqual({ keepMs, bytesMax })
  const weight = async () =>
    Number(await stack.broker.redis.call('MEMORY', 'USAGE', streamOf(stack.broker), 'SAMPLES', 0))
  for (let from = 1; from <= 4_000; from += 200) {
    await stack.storeMore(200, from)
    await eventually(async () => expect((await readKeep(stack.broker)).bytes).toBeLessThanOrEqual(bytesMax))
    expect(await weight()).toBeLessThan(bytesMax * 1.1)
  }
  const { bytes, shortMs, clockMs } = await readKeep(stack.broker)
  expect(bytes).toBeGreaterThan(bytesMax / 2)
  expect(clockMs - shortMs).toBeLessThan(keepMs)
  expect(Math.abs((await weight()) / bytes - 1)).toBeLessThan(0.15)
  expect(await stack.broker.redis.info('errorstats')).not.toContain('errorstat_OOM')
  expect(await stack.figures()).toMatchObject({ stored: 4_000, lost: 0, lossAt: null })
})

test.each<[string, number, object]>([
  ['small events', 2_000, { payload: '{"n":1}' }],
  ['events in another script', 200, { payload: JSON.stringify({ text: 'событие'.repeat(60) }) }],
  ['large events', 200, { payload: JSON.stringify({ text: 'x'.repeat(100_000) }) }],
])('how much is kept of %s is what they weigh', async (_, count, differs) => {
  await using stack = await ownKept()
  for (const from of [1, count / 2 + 1]) await stack.storeMore(count / 2, from, differs)
  const kept = (await readKeptBytes(stack.broker, [orders, 'none' as TopicName])).get(orders) ?? 0
  const weight = await stack.broker.redis.call('MEMORY', 'USAGE', streamOf(stack.broker), 'SAMPLES', 0)
  expect(Math.abs(kept / Number(weight) - 1)).toBeLessThan(0.15)
})

test('a Redis that is short of memory has what is kept given up by the look, the oldest first', async () => {
  await using redis = await ownRedis()
  await using stack = await ownKept(redis.url)
  await stack.storeMore(600, 1)
  await stack.pass(10_000)
  await stack.storeMore(20, 601)
  const used = Number(/^used_memory:(\d+)/m.exec(await stack.broker.redis.info('memory'))?.[1])
  await stack.broker.redis.config('SET', 'maxmemory', Math.round(used / 0.8))
  await stack.keeper.look()
  expect((await readKeep(stack.broker)).slices).toHaveLength(1)
  const left = (await entriesOf(stack)).length
  expect(left).toBeGreaterThanOrEqual(20)
  expect(left).toBeLessThan(30)
})
