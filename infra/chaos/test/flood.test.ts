import { expect, test } from 'vitest'
import type { Sent } from '../src/flood/streams.ts'
import { complaintsOf, describeRound, eventsOf, p99Of, type Round, refusalsOf } from '../src/flood/verdict.ts'

const held: Round = {
  quietMs: 20,
  floodMs: 30,
  offered: 3_000,
  taken: 900,
  quietRefused: 2,
  othersRefused: 0,
  missing: 0,
  lost: 0,
  recoveredMs: 9_000,
}

test('of the rounds the one in the middle counts', () => {
  const times = (...factors: number[]) => factors.map((factor) => ({ ...held, floodMs: 20 * factor }))
  expect(complaintsOf(times(9, 1, 1.5, 1.2, 3), 3_000)).toEqual([])
  expect(complaintsOf(times(9, 1, 1.51, 1.2, 3), 3_000)).toEqual([
    "the others' p99 is 1.51 times as long beside the flood, at most 1.5",
  ])
})

test.each<[string, Partial<Round>, string]>([
  ['a loss', { missing: 3 }, 'round 1: 3 accepted events are not stored, 0 count as lost'],
  ['a loss that is known', { lost: 2 }, 'round 1: 0 accepted events are not stored, 2 count as lost'],
  ['a refusal of others', { othersRefused: 4 }, 'round 1: 4 batches of the others were refused'],
  ['a late return', { recoveredMs: 31_000 }, 'round 1: recovered after 31.0 s, at most 30.0 s'],
  ['no return', { recoveredMs: undefined }, 'round 1: recovered after never, at most 30.0 s'],
  ['a trickle', { offered: 1_900 }, 'round 1: the flood sent 1900 events/s instead of 3000: too little'],
  [
    'no others',
    { floodMs: undefined },
    "the others' p99 is Infinity times as long beside the flood, at most 1.5",
  ],
])('%s breaks the promise', (_, differs, complaint) => {
  expect(complaintsOf([{ ...held, ...differs }], 3_000)).toEqual([complaint])
})

test('batches are counted as events, and what was not taken as refused', () => {
  const one: Sent = {
    ...{ topic: 'a', batches: 4, taken: [0, 1, 3], uncertain: 0, refused: { 429: 1 } },
    takenMs: [5, 2, 9],
  }
  expect(p99Of([one, { ...one, takenMs: [11] }])).toBe(11)
  expect(eventsOf([one, one], ({ batches }) => batches)).toBe(4_000)
  expect(refusalsOf([one, one])).toBe(2)
  expect(describeRound(held, 2)).toBe('| 2 | 20 ms → 30 ms | 1.50 | 2 → 0 | 3000, 900 events/s | 0 | 9.0 s |')
})
