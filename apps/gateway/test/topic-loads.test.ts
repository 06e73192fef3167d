/** What a gateway makes of looks at topics, without a clock and without Redis. */
import type { TopicName } from '@sekali/core/event'
import { createLog } from '@sekali/process/log'
import { expect, test } from 'vitest'
import { createTopicLoads } from '../src/pressure/topic-loads.ts'

const orders = 'orders' as TopicName
const account = { group: 'g', accounted: 0 }

function ownLoads(eventsMax: number) {
  const loads = createTopicLoads({ eventsMax, bytesMax: 1e9 }, createLog('test', 'silent'), () => 0)
  return {
    ...loads,
    /** A look at a stream of so many entries, of which so many come once Redis is about to be asked. */
    look(entriesAdded: number, meanwhile = 0) {
      loads.begin()
      const [looked] = loads.ask([orders])
      if (meanwhile > 0) loads.onTaken(orders, meanwhile, 0)
      if (looked)
        loads.learn(looked, { stream: { group: 'g', entriesAdded, bytes: 0 }, keptBytes: 0, account })
    },
  }
}

test('what is taken during a look counts twice only until the next one', () => {
  const loads = ownLoads(50)
  loads.onTaken(orders, 48, 0)
  loads.look(49, 1)
  expect(loads.full.has(orders)).toBe(true)
  loads.look(49)
  expect(loads.full.has(orders)).toBe(false)
})

test('a topic that a look has found full takes nothing until an eighth is drained', () => {
  const loads = ownLoads(48)
  loads.onTaken(orders, 47, 0)
  loads.look(48, 1)
  loads.look(48)
  expect(loads.full.has(orders)).toBe(true)
  for (const [left, isFull] of [
    [43, true],
    [42, true],
    [41, false],
  ] as const) {
    loads.look(left)
    expect([left, loads.full.has(orders)]).toEqual([left, isFull])
  }
})

test('a topic that was found filled is looked at until it is drained, though nothing comes', () => {
  const loads = ownLoads(48)
  loads.onTaken(orders, 24, 0)
  for (const [left, isLookedAt] of [
    [24, true],
    [13, true],
    [12, false],
  ] as const) {
    loads.look(left)
    expect([left, loads.isDue()]).toEqual([left, isLookedAt])
  }
  // What comes at once now is not added to what is long stored.
  loads.onTaken(orders, 35, 0)
  expect(loads.full.has(orders)).toBe(false)
})
