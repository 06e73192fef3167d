import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { parseTime } from '../src/time.ts'

const now = Date.parse('2026-11-28T01:30:15.250Z')

test.each([
  ['1h', '2026-11-28T00:30:15.250Z'],
  ['30m', '2026-11-28T01:00:15.250Z'],
  ['90s', '2026-11-28T01:28:45.250Z'],
  ['2d', '2026-11-26T01:30:15.250Z'],
  ['1w', '2026-11-21T01:30:15.250Z'],
  ['1d1h30m', '2026-11-27T00:00:15.250Z'],
  ['now', '2026-11-28T01:30:15.250Z'],
  ['today', '2026-11-28T00:00:00Z'],
  ['yesterday', '2026-11-27T00:00:00Z'],
  ['2026-11-25', '2026-11-25T00:00:00Z'],
  ['2026-11-25T10:00', '2026-11-25T10:00Z'],
  ['2026-11-25 10:00:30.5', '2026-11-25T10:00:30.5Z'],
])('%s is %s, in UTC', (text, expected) => {
  expect(parseTime(text, now)).toBe(expected)
})

test.each(['2026-11-25T10:00:00+02:00', '2026-11-25T10:00:00.123456789Z', '2026-11-25T10:00-0330'])(
  '%s has an offset and stays as it is, to the last digit',
  (text) => {
    expect(parseTime(text, now)).toBe(text)
  },
)

test.each([
  ['', /^It can be 1h, 30m, 2d, today, yesterday, 2026-11-25, .*RFC 3339\.$/],
  ['tomorrow', /^It can be 1h/],
  ['1', /^It can be 1h/],
  ['1 hour', /^It can be 1h/],
  ['-1h', /^It can be 1h/],
  ['30m1h', /^It can be 1h/],
  ['999999w', /^It can be 1h/],
  ['1767225600', /^It can be 1h/],
  ['2026-02-30', /^It must be a day that the calendar has: .*\. It can be 1h/],
  ['2026-11-25T25:00', /^It must have an hour from 00 to 23.*\. It can be 1h/],
  ['2026-11-25T10', /^It must .*\. It can be 1h/],
])('%j is refused, with examples', (text, message) => {
  const read = () => parseTime(text, now)
  expect(read).toThrow(InvalidArgumentError)
  expect(read).toThrow(message)
})
