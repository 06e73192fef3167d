import { expect, test } from 'vitest'
import { isPlain, mediaType } from '../src/http/media.ts'

test.each([
  ['application/json', true],
  ['Application/JSON', true],
  ['application/json; charset=utf-8', true],
  ['application/json;charset="UTF-8"', true],
  ['application/json; profile="x"; charset=utf8', true],
  ['application/json; charset=utf-16', false],
  ['application/json; charset=latin1; charset=utf-8', false],
  ['application/json; charset = utf-16', false],
  ['application/json; charset\t=utf-16', false],
  ['application/json; charset= utf-16', false],
  ['application/json; charset = "UTF-8" ', true],
  ['application/json; charset="utf\\-8"', true],
  ['application/json; charset="utf\\-16"', false],
  ['application/json; charset="utf-8', true],
  ['application/json; charset="utf-16', false],
  ['application/json; charset=', false],
  ['application/json; charset', true],
  ['; application/json', false],
  ['application/json; x="; charset=utf-16"', true],
  ['application/json; x="\\"; charset=utf-16"', true],
  ['application/json; x="a;b"; charset=utf-16', false],
  ['application/json; x="a', true],
  ['application/json; xcharset=utf-16', true],
  ['application/json ;; charset=utf-8;', true],
  ['application/problem+json', false],
  ['text/json', false],
  ['text/plain', false],
  ['application/x-www-form-urlencoded', false],
  ['', false],
])('%j is JSON in UTF-8: %s', (contentType, is) => {
  expect(mediaType(contentType) === 'application/json').toBe(is)
})

test.each([undefined, '', 'identity', 'Identity', ' identity ,identity'])(
  '%j says that a body is plain',
  (coding) => {
    expect(isPlain(coding)).toBe(true)
  },
)

test.each(['gzip', 'identity, gzip', 'br', 'x-identity', 'identity;q=0'])('%j does not', (coding) => {
  expect(isPlain(coding)).toBe(false)
})
