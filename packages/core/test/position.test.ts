import { expect, test } from 'vitest'
import { advance, comparePositions, type Position, timeOf } from '../src/log/position.ts'

test.each([
  ['1765188000123-0', '2025-12-08T10:00:00.123000Z'],
  ['1765188000123-7', '2025-12-08T10:00:00.123007Z'],
  ['1765188000123-999', '2025-12-08T10:00:00.123999Z'],
  ['1765188000123-1000', '2025-12-08T10:00:00.123999Z'],
  ['1765188000124-0', '2025-12-08T10:00:00.124000Z'],
  ['0-1', '1970-01-01T00:00:00.000001Z'],
])('the entry %s was received at %s', (position, time) => {
  expect(timeOf(position as Position)).toBe(time)
})

test.each([
  ['1765188000123-7', 0, '1765188000123-7'],
  ['1765188000123-9', 3, '1765188000123-12'],
  ['18446744073709551615-18446744073709551600', 15, '18446744073709551615-18446744073709551615'],
])('the id after %s by %i is %s', (position, by, after) => {
  expect(advance(position as Position, by)).toBe(after)
})

test.each([
  ['9-0', '10-0', -1],
  ['5-9', '5-10', -1],
  ['5-10', '6-9', -1],
  ['05-0', '5-0', 0],
  ['5-01', '5-2', -1],
  ['1765188000123-7', '1765188000123-7', 0],
  ['1765188000124-0', '1765188000123-999', 1],
  ['18446744073709551615-18446744073709551614', '18446744073709551615-18446744073709551615', -1],
  ['9223372036854775807-0', '18446744073709551615-0', -1],
])('%s compared to %s is %i', (a, b, expected) => {
  expect(comparePositions(a as Position, b as Position)).toBe(expected)
  expect(comparePositions(b as Position, a as Position)).toBe(0 - expected)
})
