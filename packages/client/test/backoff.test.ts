import { expect, test } from 'vitest'
import { delayMs, parseRetryAfter } from '../src/connection/backoff.ts'

const backoff = { delayFirstMs: 100, delayMaxMs: 1_000 }
const highest = () => 1
const lowest = () => 0

test.each([
  [1, 100],
  [2, 200],
  [3, 400],
  [4, 800],
  [5, 1_000],
  [5_000, 1_000],
])('before retry %i the wait is at most %i ms', (retry, atMostMs) => {
  expect(delayMs(retry, backoff, 0, highest)).toBe(atMostMs)
  expect(delayMs(retry, backoff, 0, lowest)).toBe(0)
})

test('what the server asks for is waited in full, and the jitter comes on top', () => {
  expect(delayMs(2, backoff, 3_000, lowest)).toBe(3_000)
  expect(delayMs(2, backoff, 3_000, highest)).toBe(3_200)
})

test.each([
  ['2', 2_000],
  ['0', 0],
  ['Thu, 01 Jan 1970 00:00:10 GMT', 6_000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
  ['soon', undefined],
  [null, undefined],
])('Retry-After: %s', (text, expectedMs) => {
  expect(parseRetryAfter(text, 4_000)).toBe(expectedMs)
})
