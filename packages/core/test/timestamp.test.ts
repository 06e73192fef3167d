import { expect, test } from 'vitest'
import { explainTimestamp, normalizeTimestamp } from '../src/event/timestamp.ts'

test.each([
  ['2025-12-08T10:00:00.123456+00:00', '2025-12-08T10:00:00.123456Z'],
  ['2025-12-08T10:00:00.000001Z', '2025-12-08T10:00:00.000001Z'],
  ['2025-12-08T10:00:00.1Z', '2025-12-08T10:00:00.100000Z'],
  ['2025-12-08T10:00:00,123Z', '2025-12-08T10:00:00.123000Z'],
  ['2025-12-08T10:00:00Z', '2025-12-08T10:00:00.000000Z'],
  ['2025-12-08T10:00Z', '2025-12-08T10:00:00.000000Z'],
  ['2025-12-08T10:00:00+07', '2025-12-08T03:00:00.000000Z'],
  ['2025-12-08T10:00:00+0700', '2025-12-08T03:00:00.000000Z'],
  ['2025-12-08T10:00:00-00:00', '2025-12-08T10:00:00.000000Z'],
  ['2025-12-08T20:30:00.5-03:30', '2025-12-09T00:00:00.500000Z'],
  ['2025-01-01T00:15:00+05:45', '2024-12-31T18:30:00.000000Z'],
  ['2025-12-31T23:59:59.999999-14:00', '2026-01-01T13:59:59.999999Z'],
  ['2025-12-08T23:59:59.999999+23:59', '2025-12-08T00:00:59.999999Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['0000-12-31T23:00:00-01:00', '0001-01-01T00:00:00.000000Z'],
  ['0099-03-01T00:00:00+01:00', '0099-02-28T23:00:00.000000Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  ['2025-12-08t10:00:00z', '2025-12-08T10:00:00.000000Z'],
  ['2025-12-08t10:00:00.123456789z', '2025-12-08T10:00:00.123456Z'],
  ['2025-12-08T10:00:00.1234567Z', '2025-12-08T10:00:00.123456Z'],
  ['2025-12-08T10:00:00.12345678+01:00', '2025-12-08T09:00:00.123456Z'],
  ['2025-12-08T10:00:00.123456789Z', '2025-12-08T10:00:00.123456Z'],
  ['2025-12-08T10:00:00.123456000Z', '2025-12-08T10:00:00.123456Z'],
  ['2025-12-31T23:59:59.999999999-14:00', '2026-01-01T13:59:59.999999Z'],
  ['1969-12-31T23:59:59.999999999Z', '1969-12-31T23:59:59.999999Z'],
])('%s is %s', (text, utc) => {
  expect(normalizeTimestamp(text)).toBe(utc)
})

test.each([
  ['without an offset', '2025-12-08T10:00:00'],
  ['a day without a time', '2025-12-08'],
  ['a space instead of T', '2025-12-08 10:00:00Z'],
  ['space around it', ' 2025-12-08T10:00:00Z'],
  ['a line break after it', '2025-12-08T10:00:00Z\n'],
  ['ten fractional digits', '2025-12-08T10:00:00.1234567890Z'],
  ['ten fractional digits with an offset', '2025-12-08T10:00:00.0000000000+00:00'],
  ['a point without digits', '2025-12-08T10:00:00.Z'],
  ['hour 24', '2025-12-08T24:00:00Z'],
  ['minute 60', '2025-12-08T10:60:00Z'],
  ['a leap second', '2016-12-31T23:59:60Z'],
  ['30 February', '2024-02-30T00:00:00Z'],
  ['29 February of a common year', '2025-02-29T00:00:00Z'],
  ['29 February 1900', '1900-02-29T00:00:00Z'],
  ['31 April', '2025-04-31T00:00:00Z'],
  ['month 13', '2025-13-01T00:00:00Z'],
  ['month 0', '2025-00-10T00:00:00Z'],
  ['day 0', '2025-01-00T00:00:00Z'],
  ['year 0', '0000-06-01T00:00:00Z'],
  ['year 0 only in UTC', '0001-01-01T00:00:00+00:01'],
  ['year 10000 only in UTC', '9999-12-31T23:59:59-00:01'],
  ['year 294277', '+294277-01-01T00:00:00Z'],
  ['an offset of 24 hours', '2025-12-08T10:00:00+24:00'],
  ['an offset of 60 minutes', '2025-12-08T10:00:00+01:60'],
  ['a zone name', '2025-12-08T10:00:00 UTC'],
  ['an annotated zone', '2025-12-08T10:00:00Z[Etc/UTC]'],
  ['the basic format', '20251208T100000Z'],
  ['a week date', '2025-W50-1T10:00:00Z'],
  ['seconds since 1970', '1765188000'],
  ['digits of another script', '٢٠٢٥-١٢-٠٨T١٠:٠٠:٠٠Z'],
  ['nothing', ''],
])('%s is refused', (_, text) => {
  expect(normalizeTimestamp(text)).toBeUndefined()
  expect(explainTimestamp(text)).toMatch(/^must /)
})

test.each([
  ['2026-02-29T00:00:00Z', /a day that the calendar has: this month of this year has fewer/],
  ['2025-04-31T00:00:00Z', /a day that the calendar has/],
  ['2025-13-01T00:00:00Z', /month .* 01 to 12/],
  ['2025-00-10T00:00:00Z', /month .* 01 to 12/],
  ['2025-01-00T00:00:00Z', /a day that the calendar has/],
  ['2025-12-08T24:00:00Z', /hour .* 00 to 23.*next day/],
  ['2025-12-08T25:00:00Z', /hour .* 00 to 23/],
  ['2025-12-08T10:60:00Z', /minute .* 00 to 59/],
  ['2016-12-31T23:59:60Z', /leap second/],
  ['2016-12-31T23:59:61Z', /second .* 00 to 59/],
  ['2025-12-08T10:00:00', /have an offset/],
  ['2025-12-08t10:00:00.5', /have an offset/],
  ['2025-12-08T10:00:00 UTC', /have an offset/],
  ['2025-12-08T10:00:00+24:00', /offset .* 23:59/],
  ['2025-12-08T10:00:00+01:60', /offset .* 23:59/],
  ['2025-12-08T10:00:00.1234567890Z', /at most nine fractional digits/],
  ['2025-12-08T10:00:00.12345678901234+02:00', /at most nine fractional digits/],
  ['2025-12-08 10:00:00Z', /a T between/],
  ['2026-02-28T10:00:00Z ', /no white space/],
  ['2026-02-28T10:00:00Z\n', /no white space/],
  ['2026-02-28T10:00:00+02:00\t', /no white space/],
  ['\u00a02026-02-28T10:00:00Z', /no white space/],
  ['2026-02-28T10:00:00 Z', /no white space/],
  ['2026-02-28T10:00:00.5 z', /no white space/],
  ['2026-02-28T10:00:00 +02:00', /no white space/],
  ['2026-02-28T10:00:00Z[Europe/Berlin]', /no zone in brackets/],
  ['2026-02-28T10:00:00.123+01:00[Europe/Berlin]', /no zone in brackets/],
  ['2026-02-28T10:00:00+01:00[Europe/Berlin][u-ca=gregory]', /no zone in brackets/],
  ['2026-02-28T10:00[Europe/Berlin]', /have an offset/],
  ['2026-02-28T10:00:00Zulu', /^must be ISO 8601/],
  ['2026-04-00T10:00:00Z', /a day that the calendar has: the first is 01/],
  ['2026-00-00T10:00:00Z', /month .* 01 to 12/],
  ['2025-12-08', /a time of day/],
  ['0000-06-01T00:00:00Z', /year .* 0001 to 9999/],
  ['9999-12-31T23:59:59-00:01', /year .* 0001 to 9999/],
  ['+294277-01-01T00:00:00Z', /year .* 0001 to 9999/],
  ['1765188000', /not a number/],
  ['1765188000.5', /not a number/],
  ['yesterday', /^must be ISO 8601 with an offset and at most nine/],
])('the message for %s says what is wrong with it', (text, rule) => {
  expect(normalizeTimestamp(text)).toBeUndefined()
  expect(explainTimestamp(text)).toMatch(rule)
})

test('agrees with Date on every minute offset of a day around a new year', () => {
  for (let minutes = -1439; minutes <= 1439; minutes += 7) {
    const sign = minutes < 0 ? '-' : '+'
    const hh = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')
    const mm = String(Math.abs(minutes) % 60).padStart(2, '0')
    const text = `2024-12-31T23:30:15.250${sign}${hh}:${mm}`
    expect(normalizeTimestamp(text)).toBe(new Date(text).toISOString().replace('Z', '000Z'))
  }
})
