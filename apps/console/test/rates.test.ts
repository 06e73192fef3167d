import { expect, test } from 'vitest'
import { newestWords, type Rates, upToNow } from '../src/http/rates.ts'

const rates: Rates = {
  times: [980, 990, 1_000],
  newestSeconds: 10,
  series: [{ label: 'accepted', values: [1, 2, 0] }],
}
const lastOf = ({ series }: Rates) => series[0]?.values.at(-1)

test('a rate is of now only while the next one is not overdue', () => {
  expect(upToNow(rates, 1_015_000, undefined)).toBe(rates)
  expect(lastOf(upToNow(rates, 1_041_000, undefined))).toBeNull()
  // Where intervals are left out the next one comes later
  expect(lastOf(upToNow({ ...rates, newestSeconds: 60 }, 1_041_000, undefined))).toBe(0)
})

test('what was measured before a server went away does not say how it is now', () => {
  expect(lastOf(upToNow(rates, 1_005_000, 1_001_000))).toBeNull()
  expect(lastOf(upToNow(rates, 1_005_000, 999_000))).toBe(0)
  expect(upToNow({ ...rates, times: [] }, 1_005_000, 1_001_000).times).toEqual([])
})

test('the time that a rate is of is never said to be shorter than it is', () => {
  expect(newestWords(rates, 1_004_000)).toBe('in the last 10 s')
  expect(newestWords({ ...rates, newestSeconds: 60 }, 1_020_000)).toBe('in the last 60 s')
  expect(newestWords(rates, 1_035_000)).toBe('in 10 s, until 35 s ago')
})
