import { expect, test } from 'vitest'
import { advance, type Position, timeOf } from '../src/log/position.ts'

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
