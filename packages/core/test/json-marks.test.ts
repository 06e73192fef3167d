import { expect, test } from 'vitest'
import { parseJson, stringifyAsRead, stringifyJson } from '../src/text/json.ts'
import { parseMarked, stringifyMarked } from '../src/text/json-marks.ts'
import { randomJson, seededRandom } from './random-json.ts'

const rawOf = (value: unknown) => (typeof value === 'bigint' ? String(value) : undefined)

test('without the source of numbers the same comes of a text as with it', () => {
  const random = seededRandom(20)
  const texts = [
    '9007199254740993',
    '-12345678901234567890',
    '[1e400,0.10,1234567890123456,12345678901234567,12345678901234567.5,1e20,12345678901234567e1]',
    '{"a":"\\u00235","#":"##12345678901234567","9007199254740993":9007199254740993,"__proto__":9007199254740993}',
    '{"a":"\\"9007199254740993","b":[9007199254740993,"9007199254740993"]}',
    ...Array.from({ length: 500 }, () => randomJson(random, 4)),
  ]
  for (const text of texts) {
    expect(parseMarked(text)).toEqual(parseJson(text))
    expect(stringifyMarked(parseJson(text), rawOf)).toBe(JSON.stringify(parseJson(text), native))
  }
})

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
const native = (_name: string, value: unknown) => (typeof value === 'bigint' ? rawJSON(String(value)) : value)

test('what is no JSON is no JSON', () => {
  for (const text of ['', '9007199254740993 1', '[9007199254740993', '09007199254740993', '-', '{"a":}']) {
    expect(() => parseMarked(text)).toThrow(SyntaxError)
  }
})

test('what is written has its indent, and marks of its own', () => {
  const value = { a: [2n ** 70n, '#', '##1'], b: 'x' }
  expect(stringifyMarked(value, rawOf, 2)).toBe(stringifyJson(value, 2))
  expect(stringifyMarked([1e20], () => undefined)).not.toBe(stringifyAsRead([1e20]))
})
