import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { raiseFence, readFence } from '../src/turn/fence.ts'

test('the fence has the highest timeline of each system, whoever comes in which order', async () => {
  await using broker = await ownBroker()
  expect(await readFence(broker, 'a')).toBeUndefined()
  const timelines = [1, 3, 2, 9, 10, 4]
  const seen = await Promise.all(timelines.map((timeline) => raiseFence(broker, { system: 'a', timeline })))
  for (const [index, highest] of seen.entries()) expect(highest).toBeGreaterThanOrEqual(timelines[index] ?? 0)
  expect(await raiseFence(broker, { system: 'a', timeline: 2 })).toBe(10)
  expect(await raiseFence(broker, { system: 'b', timeline: 2 })).toBe(2)
  expect(await readFence(broker, 'a')).toBe(10)
})
