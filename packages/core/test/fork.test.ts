import { expect, test } from 'vitest'
import { type Fork, forkBefore } from '../src/log/fork.ts'

const fork = (epoch: number, forkedAt: number): Fork => ({
  epoch,
  forkedAt,
  at: `2026-11-28T10:00:0${epoch}.000000Z`,
})

const restoredOnce = [fork(2, 500)]
/** To 500, then to 700, then to 400. */
const restoredThrice = [fork(2, 500), fork(3, 700), fork(4, 400)]

test('without a restore every place is good', () => {
  expect(forkBefore([], { epoch: 1, seq: 600 })).toBeUndefined()
})

test.each([
  ['at the fork', { epoch: 1, seq: 500 }, undefined],
  ['before the fork', { epoch: 1, seq: 400 }, undefined],
  ['at the beginning', { epoch: 1, seq: 0 }, undefined],
  ['one event beyond the fork', { epoch: 1, seq: 501 }, 500],
  ['beyond the fork, in the epoch that began there', { epoch: 2, seq: 600 }, undefined],
  ['in an epoch that nobody has begun', { epoch: 3, seq: 600 }, undefined],
])('after one restore, a place %s', (_, place, forkedAt) => {
  expect(forkBefore(restoredOnce, place)?.forkedAt).toBe(forkedAt)
})

test.each([
  [{ epoch: 1, seq: 450 }, 400],
  [{ epoch: 1, seq: 400 }, undefined],
  [{ epoch: 1, seq: 800 }, 400],
  [{ epoch: 2, seq: 600 }, 400],
  [{ epoch: 3, seq: 401 }, 400],
  [{ epoch: 3, seq: 400 }, undefined],
  [{ epoch: 4, seq: 900 }, undefined],
])(
  'after several restores the one furthest back counts, of those after the epoch of the place: %o',
  (place, forkedAt) => {
    expect(forkBefore(restoredThrice, place)?.forkedAt).toBe(forkedAt)
    expect(forkBefore(restoredThrice.toReversed(), place)?.forkedAt).toBe(forkedAt)
  },
)

test('forks before the epoch of the place do not count', () => {
  expect(forkBefore([fork(2, 100), fork(3, 500)], { epoch: 2, seq: 300 })).toBeUndefined()
})

test('of forks at one event the latest is named', () => {
  expect(forkBefore([fork(2, 500), fork(3, 500)], { epoch: 1, seq: 600 })?.epoch).toBe(3)
})
