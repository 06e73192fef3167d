import { expect, test } from 'vitest'
import { parseJson, stringifyJson } from '../src/json.ts'

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
