import { expect, test } from 'vitest'
import { parseJson, stringifyAsRead, stringifyJson } from '../src/text/json.ts'

test('whole numbers of any size, infinities and the order of keys survive reading and writing', () => {
  const text =
    '{"b":9007199254740993,"a":[-12345678901234567890,1e999,-1e999,0.5,"1234567890123456789"],"n":null}'
  expect(stringifyJson(parseJson(text))).toBe(text)
  expect(parseJson('[9007199254740993, 9007199254740991, 1e20]')).toEqual([
    9007199254740993n,
    9007199254740991,
    1e20,
  ])
})

test('a double beyond 2^53 can be written so that it is read as a double, and a bigint as a bigint', () => {
  const values = [2 ** 53, 1e20, -1e20, 1e21, 1e300, Infinity, 0.1, 7, 9007199254740993n]
  expect(parseJson(stringifyAsRead(values))).toEqual(values)
  expect(stringifyAsRead([1e20])).toBe('[1e+20]')
})
