/** After how long those should come back who were refused. */
import { expect, test } from 'vitest'
import { createRate, waitSeconds } from '../src/pressure/wait.ts'

const middle = () => 0.5
const low = () => 0
const high = () => 0.999

test.each([
  ['what drains in ten seconds', 1_000, 100, 5_000, [8, 14]],
  ['what drains at once', 1, 1_000, 60_000, [1, 2]],
  ['what would take an hour', 3_600, 1, 0, [60, 60]],
  ['what does not drain and has just filled up', 1_000, 0, 100, [1, 2]],
  ['what has not drained for 20 s', 1_000, 0, 20_000, [15, 26]],
  ['what has not drained for an hour', 1_000, 0, 3_600_000, [60, 60]],
])('%s', (_, amount, perSecond, lastedMs, [least, most]) => {
  expect(waitSeconds(amount, perSecond, lastedMs, low)).toBe(least)
  expect(waitSeconds(amount, perSecond, lastedMs, high)).toBe(most)
  const wait = waitSeconds(amount, perSecond, lastedMs, middle)
  expect(wait).toBeGreaterThanOrEqual(least as number)
  expect(wait).toBeLessThanOrEqual(most as number)
})

test('a rate is that of the last seconds, 0 when it stands still, and begins anew when the count does', () => {
  const rate = createRate()
  rate.note(1_000, 0)
  expect(rate.perSecond()).toBe(0)
  rate.note(1_000, 250)
  rate.note(1_500, 500)
  expect(rate.perSecond()).toBe(1_000)
  rate.note(4_000, 2_000)
  expect(rate.perSecond()).toBe(1_500)
  rate.note(4_000, 4_500)
  expect(rate.perSecond()).toBe(0)
  rate.note(6_000, 6_500)
  expect(rate.perSecond()).toBe(1_000)
  rate.note(10, 7_000)
  expect(rate.perSecond()).toBe(0)
})
