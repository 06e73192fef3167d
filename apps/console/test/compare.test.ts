import { expect, test } from 'vitest'
import { compareJson, waysToDiffer } from '../src/text/compare.ts'

const signs = { same: ' ', removed: '-', added: '+' } as const

/** With what is marked in brackets. */
const shown = (before: string, after: string) =>
  compareJson(before, after)?.map(
    ({ kind, parts }) =>
      signs[kind] + parts.map(({ text, isChanged }) => (isChanged ? `[${text}]` : text)).join(''),
  )

test('what differs in a line is marked, and equal lines stay', () => {
  expect(shown('{"a":1,"total":12.50,"b":[1,2]}', '{"a":1,"total":12.5,"b":[1,2,3]}')).toEqual([
    ' {',
    ' "a": 1,',
    '-"total": [12.50],',
    '+"total": [12.5],',
    ' "b": [',
    ' 1,',
    ' 2,',
    '+3',
    ' ]',
    ' }',
  ])
})

test('white space alone makes no line differ', () => {
  expect(compareJson('{"a": 1 ,"b":2}', '{ "a":1,\n"b": 2}')?.every(({ kind }) => kind === 'same')).toBe(true)
})

test('numbers that a double cannot tell apart differ', () => {
  expect(shown('{"n":9007199254740993}', '{"n":9007199254740992}')).toContain('-"n": [9007199254740993]')
})

test('texts in which thousands of lines differ are given up', () => {
  const long = (prefix: string) => `[${Array.from({ length: 30_000 }, (_, at) => `"${prefix}${at}"`).join()}]`
  expect(compareJson(long('a'), long('b'))).toBeUndefined()
})

test('payloads that are equal as JSON differ in keys, in numbers, or in blanks', () => {
  expect(waysToDiffer('{"a":1,"b":2}', '{"b":2,"a":1}')).toBe('keys')
  expect(waysToDiffer('{"a":1.50,"b":2}', '{"a":1.5,"b":2}')).toBe('numbers')
  expect(waysToDiffer('{"a":"é"}', '{"a":"\\u00e9"}')).toBe('numbers')
  expect(waysToDiffer('{"a":1}', '{ "a" : 1 }')).toBe('blanks')
})
