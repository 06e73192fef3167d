import { expect, test } from 'vitest'
import {
  type AbuseFigures,
  boundMs,
  complaintsOf,
  latenciesOf,
  percentile,
} from '../src/check/abuse-verdict.ts'
import { catalogue } from '../src/faults/catalogue.ts'
import { schedule } from '../src/inject/schedule.ts'
import { expandNames } from '../src/names.ts'
import { createRandom } from '../src/random.ts'
import { held } from './evidence.ts'

test('a percentile is the smallest value that so many do not exceed', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(percentile(values, 0.99)).toBe(198)
  expect(percentile(values, 1)).toBe(200)
  expect(percentile([7], 0.99)).toBe(7)
  expect(percentile([], 0.99)).toBe(undefined)
})

test('latencies are those of what was due in the time, not of what was answered in it', () => {
  const samples = [
    { operation: 'publish', at: 99, ms: 1 },
    { operation: 'publish', at: 100, ms: 9_000 },
    { operation: 'read', at: 150, ms: 3, refusal: '503' },
    { operation: 'read', at: 200, ms: 70 },
  ] as const
  expect(latenciesOf(samples, 100, 200)).toEqual({
    publish: 9_000,
    wait: undefined,
    read: 3,
    tail: undefined,
  })
})

test('what takes no longer than a quarter of a second is quick enough, and five times as long as before', () => {
  expect(boundMs(undefined)).toBe(250)
  expect(boundMs(2)).toBe(250)
  expect(boundMs(100)).toBe(500)
})

test.each<[string, Partial<AbuseFigures>, string[]]>([
  ['a service that was held for others', {}, []],
  [
    'a publish that waits',
    { abused: { publish: 251, wait: 300, read: 9, tail: 250 } },
    ['abuse-x: p99 of publish 251 ms, at most 250 ms'],
  ],
  [
    'a tail of which nothing comes',
    { abused: { publish: 2, wait: 60, read: 3, tail: undefined } },
    ['abuse-x: no tail of others was seen'],
  ],
  ['a refusal of others', { refused: { 503: 2 } }, ['abuse-x: others were refused: 2 503']],
  ['memory', { rssKb: 600 * 1024 }, ['abuse-x: the gateway had 600 MB, at most 448 MB']],
  ['a late return', { backMs: 5_200 }, ['abuse-x: back after 5200 ms, at most 5000 ms']],
  ['no return', { backMs: undefined, left: '9 in flight' }, ['abuse-x: not back: 9 in flight']],
  ['a failure of the server', { answers: { 429: 1, 500: 3 } }, ['abuse-x: 3 requests were answered 500']],
  ['sweeps', { idleCpuPercent: 0.9 }, []],
  ['dear sweeps', { idleCpuPercent: 20 }, ['abuse-x: idle topics cost Redis 20.0 % of a core']],
  ['a restart, in which nobody is served', { abused: undefined }, []],
])('the verdict on %s', (_, differs, complaints) => {
  expect(complaintsOf({ ...held, ...differs })).toEqual(complaints)
})

test('names of faults may end in a star, come once, and must mean something', () => {
  const known = ['abuse-a', 'abuse-b', 'kill-redis', 'a.b']
  expect(expandNames(['abuse-*', 'kill-redis', 'abuse-b'], known)).toEqual({
    names: ['abuse-a', 'abuse-b', 'kill-redis'],
    unknown: undefined,
  })
  expect(expandNames(['abuse'], known).unknown).toBe('abuse')
  expect(expandNames(['a-b', 'nothing-*'], known).unknown).toBe('a-b')
  expect(expandNames(['abuse-*'], [...catalogue.keys()]).names.length).toBeGreaterThanOrEqual(12)
})

test('a fault that measures has nobody beside it', () => {
  const faults = [...catalogue.values()]
  let dealt = 0
  for (const { faults: now } of schedule(faults, createRandom(1, 'schedule'))) {
    if (now.some(({ alone }) => alone)) expect(now).toHaveLength(1)
    if (dealt++ > 500) break
  }
})
