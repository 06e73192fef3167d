/** A filter leaves events out, and never fails. */
import { parsePattern } from '@sekali/core/pattern'
import type { SubscriptionFilter } from '@sekali/core/subscription'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { putSubscription } from '../src/subscriptions/put.ts'
import { add, by, configOf, floorOf, get, say, seqsOf, statusOf, subscribed } from './subscriptions.ts'

/** Payloads by seq, and the filter by which some of them come. */
const cases: readonly [
  name: string,
  filter: SubscriptionFilter,
  payloads: readonly string[],
  seqs: number[],
][] = [
  [
    'a string',
    { payload: { '/a': ['x', 'y'] } },
    ['{"a":"x"}', '{"a":"z"}', '{"a": "y", "b": 1}', '{"b":"x"}'],
    [1, 3],
  ],
  [
    'scalars by type and value',
    { payload: { '/a': [1, true, null] } },
    [
      '{"a":1.0}',
      '{"a":"1"}',
      '{"a":true}',
      '{"a":"true"}',
      '{"a":null}',
      '{}',
      '{"a":10e-1}',
      '{"a":[1]}',
      '{"a":{}}',
    ],
    [1, 3, 5, 7],
  ],
  [
    'both of two',
    { payload: { '/a': [1], '/b/c': [2] } },
    ['{"a":1,"b":{"c":2}}', '{"a":1}', '{"a":1,"b":2}', '{"a":2,"b":{"c":2}}'],
    [1],
  ],
  [
    'places in arrays, as RFC 6901 has them',
    { payload: { '/0': ['x'] } },
    ['["x","y"]', '["y","x"]', '{"0":"x"}', '"x"', '[]'],
    [1, 3],
  ],
  ['no place from the end', { payload: { '/-1': ['x'] } }, ['["x"]', '{"-1":"x"}'], [2]],
  ['no other spelling of a place', { payload: { '/00': ['x'] } }, ['["x"]', '{"00":"x"}'], [2]],
  [
    'escapes',
    { payload: { '/a~1b/~0c/': ['x'] } },
    ['{"a/b":{"~c":{"":"x"}}}', '{"a/b":{"~0c":{"":"x"}}}'],
    [1],
  ],
  [
    'what PostgreSQL has no text for',
    { payload: { '/a': ['x'] } },
    [
      '{"a":"x","b":"\\u0000"}',
      '{"a":"\\u0000"}',
      '{"a":"x","b":"\\\\u0000"}',
      '{"a":"x","b":"\\ud800"}',
      '{"\\u0061":"x"}',
    ],
    [1, 3, 5],
  ],
  [
    'numbers of any size',
    { payload: { '/a': [1e300, 0.5] } },
    [
      '{"a":1e300}',
      '{"a":1E+300}',
      '{"a":1e999999}',
      `{"a":${'9'.repeat(2_000)}}`,
      '{"a":5e-1}',
      '{"a":1e-99999}',
    ],
    [1, 2, 5],
  ],
  [
    'a number that JSON does not have',
    { payload: { '/a': [Number.POSITIVE_INFINITY] } },
    ['{"a":null}', '{"a":1}'],
    [],
  ],
]

test('a filter leaves in what it says, of whatever payloads there are', async () => {
  await using store = await ownStore()
  for (const [topic, [name, filter, payloads, seqs]] of cases.entries()) {
    const topics = parsePattern(`t${topic}`)
    for (const payload of payloads) await add(store, topics.text, 1, { payload: `$$${payload}$$` })
    await putSubscription(store, configOf({ name: `s${topic}`, topics, filter }), by)
    expect(seqsOf(await get(store, 99, { name: `s${topic}` })), name).toEqual(seqs)
    expect(await statusOf(store, `s${topic}`), name).toMatchObject({ outstanding: seqs.length })
  }
})

test('what is left out is passed over, some thousands at a time, and lag is a bound', async () => {
  await using store = await subscribed(12_000, { filter: { sources: ['rare'] } }, { source: `'often'` })
  await add(store, 'orders', 1, { source: `'rare'` })
  const first = await get(store, 5)
  expect(first).toMatchObject({ items: [], more: true })
  expect(await statusOf(store)).toMatchObject({ lagIsBound: true, outstanding: 0 })
  const [second, third] = [await get(store, 5), await get(store, 5)]
  expect([second.more, seqsOf(third)]).toEqual([true, [12_001]])
  expect(await floorOf(store)).toBe(12_000)
  expect(await statusOf(store)).toMatchObject({ lag: 1, outstanding: 1 })
})

test('what fits and was not taken comes next, in the order of sources too', async () => {
  for (const order of ['none', 'source', 'topic'] as const) {
    await using store = await subscribed(
      20,
      { order, filter: { payload: { '/even': [true] } } },
      { source: `'s' || n`, payload: `json_build_object('even', n % 2 = 0)` },
    )
    const first = await get(store, 3)
    expect(seqsOf(first)).toEqual([2, 4, 6])
    await say(store, 'ack', [first.grant])
    expect(seqsOf(await get(store, 99))).toEqual([8, 10, 12, 14, 16, 18, 20])
    expect(await floorOf(store)).toBe(7)
  }
})
