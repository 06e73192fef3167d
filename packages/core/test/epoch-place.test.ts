import { expect, test } from 'vitest'
import { formatPlace, parsePlace } from '../src/log/epoch-place.ts'

test.each([
  ['0', { epoch: 1, seq: 0 }],
  ['600', { epoch: 1, seq: 600 }],
  ['2.600', { epoch: 2, seq: 600 }],
  ['2147483647.9007199254740991', { epoch: 2_147_483_647, seq: Number.MAX_SAFE_INTEGER }],
])('%s is a place, and the same in both directions', (text, place) => {
  expect(parsePlace(text)).toEqual(place)
  expect(formatPlace(place)).toBe(text)
})

test('before the first event all epochs are one', () => {
  expect(formatPlace({ epoch: 2, seq: 0 })).toBe('0')
})

test.each([
  '',
  '-1',
  '1.5.2',
  '.5',
  '2.',
  '1.600', // the first epoch is not written: what has two spellings is compared wrongly somewhere
  '0.600',
  '02.600',
  '2147483648.1',
  '9007199254740992',
  '2.9007199254740992',
  '2.600 ',
  '2_600',
])('%j is no place', (text) => {
  expect(parsePlace(text)).toBeUndefined()
})
