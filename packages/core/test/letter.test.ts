import { expect, test } from 'vitest'
import { letterIdText, lettersCursorText, parseLetterId, parseLettersCursor } from '../src/log/letter.ts'

test('an id of a letter tells its kind, and has one spelling', () => {
  for (const text of ['e-12', 'c-7', 'd-3', 'e-0']) {
    const id = parseLetterId(text)
    expect(id && letterIdText(id)).toBe(text)
  }
  expect(parseLetterId('c-7')).toEqual({ kind: 'conflict', number: 7 })
  expect(parseLetterId('d-3')).toEqual({ kind: 'delivery', number: 3 })
  for (const text of ['', 'e-', 'e-01', 'e-1x', 'x-1', 'E-1', 'e--1', `e-${'9'.repeat(16)}`]) {
    expect(parseLetterId(text), text).toBeUndefined()
  }
})

test('a place in the list is an id of each kind, or of one', () => {
  expect(parseLettersCursor('c-7,e-12')).toEqual({ entry: 12, conflict: 7 })
  expect(parseLettersCursor('d-3,c-7')).toEqual({ conflict: 7, delivery: 3 })
  expect(lettersCursorText({ conflict: 7, entry: 12 })).toBe('e-12,c-7')
  expect(lettersCursorText({ conflict: 7 })).toBe('c-7')
  for (const text of ['', 'e-1,e-2', 'e-1,', 'nothing'])
    expect(parseLettersCursor(text), text).toBeUndefined()
})
