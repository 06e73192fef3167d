import { expect, test } from 'vitest'
import { balance, type Run } from '../src/balance/balance.ts'
import { type Known, nothing } from '../src/balance/figures.ts'

// Two topics, 100 events each, 30 of them repeats, all accounted for.
function run(changes: { order?: Partial<Known>; retries?: number; seedIsFresh?: boolean } = {}): Run {
  const good = { ...nothing, accepted: 100, stored: 70, duplicates: 30 }
  const { order = {}, retries = 0, seedIsFresh = true } = changes
  return {
    sent: {
      total: 200,
      retries,
      byTopic: new Map([
        ['order', { sent: 100, unique: 70 }],
        ['payment', { sent: 100, unique: 70 }],
      ]),
    },
    before: new Map([
      ['order', { ...nothing, accepted: 50, stored: 40, duplicates: 10 }],
      ['payment', nothing],
    ]),
    after: new Map([
      ['order', { ...nothing, accepted: 150, stored: 110, duplicates: 40, ...order }],
      ['payment', good],
    ]),
    seedIsFresh,
  }
}

test('what is stored and dropped as sent balances, whatever was there before', () => {
  const { problems, total, topics, replayed } = balance(run())
  expect(problems).toEqual([])
  expect(total).toMatchObject({
    sent: 200,
    unique: 140,
    accepted: 200,
    stored: 140,
    duplicates: 60,
    in_flight: 0,
  })
  expect(topics[0]).toMatchObject({ topic: 'order', accepted: 100, stored: 70, duplicates: 30 })
  expect(replayed).toBe(0)
})

test.each<[string, Partial<Known>, string]>([
  ['a lost event', { stored: 109 }, 'order: 100 accepted, 99 accounted for'],
  ['a unique event dropped', { stored: 109, duplicates: 41 }, 'order: only 69 stored of 70 unique events'],
  ['a duplicate stored', { stored: 111, duplicates: 39 }, 'order: 71 stored of 70 unique events'],
  ['a conflict', { duplicates: 39, conflicts: 1 }, 'order: conflicts 1'],
  ['a dead letter', { duplicates: 39, dead: 1 }, 'order: dead 1'],
  ['an entry lost from Redis', { duplicates: 39, lost: 1 }, 'order: lost 1'],
  ['an entry in flight', { duplicates: 39, in_flight: 1 }, 'order: in flight 1'],
  ['a publish that was not counted', { accepted: 149, duplicates: 39 }, 'order: 100 sent, only 99 accepted'],
  [
    'an entry from nowhere',
    { accepted: 151, duplicates: 41 },
    '1 more accepted than sent, but only 0 retries',
  ],
])('%s does not balance', (_what, order, problem) => {
  expect(balance(run({ order })).problems).toContain(problem)
})

test('a retried publish may have been accepted twice: the second is a duplicate', () => {
  const twice = { accepted: 152, duplicates: 42 }
  expect(balance(run({ order: twice, retries: 2 })).problems).toEqual([])
  expect(balance(run({ order: twice, retries: 1 })).problems).toHaveLength(1)
})

test('a chosen seed may be a replay of what the topic already had, but of no more than that', () => {
  const allButThirty = { stored: 70, duplicates: 80 } // 30 of 70 stored, and the topic had 40
  expect(balance(run({ order: allButThirty, seedIsFresh: false }))).toMatchObject({
    problems: [],
    replayed: 40,
  })
  expect(balance(run({ order: allButThirty, seedIsFresh: true })).problems).toHaveLength(1)
  const more = { stored: 69, duplicates: 81 }
  expect(balance(run({ order: more, seedIsFresh: false })).problems).toHaveLength(1)
})
