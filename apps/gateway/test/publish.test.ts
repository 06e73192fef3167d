import { expect, test } from 'vitest'
import { mediaType } from '../src/publish.ts'

test.each([
  ['application/json', true],
  ['Application/JSON', true],
  ['application/json; charset=utf-8', true],
  ['application/json;charset="UTF-8"', true],
  ['application/json; profile="x"; charset=utf8', true],
  ['application/json; charset=utf-16', false],
  ['application/json; charset=latin1; charset=utf-8', false],
  ['application/problem+json', false],
  ['text/json', false],
  ['text/plain', false],
  ['application/x-www-form-urlencoded', false],
  ['', false],
])('%j is JSON in UTF-8: %s', (contentType, is) => {
  expect(mediaType(contentType) === 'application/json').toBe(is)
})
