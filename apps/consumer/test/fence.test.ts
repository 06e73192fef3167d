import { raiseFence, readFence } from '@sekali/broker/fence'
import { OldPrimary } from '@sekali/store/errors'
import { readLineage } from '@sekali/store/lineage'
import { expect, test } from 'vitest'
import { entriesOf, keepMs, ownKept } from './kept.ts'
import { numbered, ownStack, storeAll } from './stack.ts'

test('a turn on an old primary is refused, whatever it has read, and one on a new primary raises the fence [P1] [P7]', async () => {
  await using stack = await ownStack()
  const lineage = await readLineage(stack.store)
  if (lineage === undefined) throw new Error('no primary')
  const { system, timeline } = lineage
  await stack.append(numbered(3))
  expect(await storeAll(stack)).toMatchObject({ stored: 3 })
  expect(await readFence(stack.broker, system)).toBe(timeline)

  // Another system is no other primary of this one: it was restored, or made anew.
  await raiseFence(stack.broker, { system: '1', timeline: 99 })
  await stack.append(numbered(3, 4))
  expect(await storeAll(stack)).toMatchObject({ stored: 6 })

  await raiseFence(stack.broker, { system, timeline: timeline + 1 })
  await stack.append(numbered(3, 7))
  const words = `timeline ${timeline}, and the system is on ${timeline + 1}: PostgreSQL is an old primary`
  for (let time = 1; time <= 2; time++) {
    const refused = storeAll(stack)
    await expect(refused).rejects.toThrow(OldPrimary)
    await expect(refused).rejects.toThrow(words)
    expect(await stack.figures()).toMatchObject({ stored: 6 })
  }
  await using consumer = stack.consumer('c1')
  await expect.poll(consumer.output, { timeout: 20_000 }).toContain(words)

  await stack.broker.redis.hset(`${stack.broker.prefix}:fence`, system, timeline)
  expect(await stack.settled()).toMatchObject({ stored: 9, duplicates: 0, lost: 0 })
})

test('an old primary lets go of nothing that is kept, and retires no stream: the new one may not have it [P7]', async () => {
  await using stack = await ownKept()
  await stack.storeMore(30, 1)
  const lineage = await readLineage(stack.store)
  if (lineage === undefined) throw new Error('no primary')
  const { system, timeline } = lineage
  await raiseFence(stack.broker, { system, timeline: timeline + 1 })
  await stack.pass(3 * keepMs)
  await stack.keeper.look()
  expect(await entriesOf(stack)).toHaveLength(30)

  const fence = `${stack.broker.prefix}:fence`
  await stack.broker.redis.hset(fence, system, timeline)
  await stack.keeper.look()
  expect(await stack.packs()).toBe(1)
  await stack.broker.redis.hset(fence, system, timeline + 1)
  for (let time = 1; time <= 3; time++) await expect(stack.retire()).rejects.toThrow(OldPrimary)
  expect(await stack.packs()).toBe(1)
})
