import { expect, test } from 'vitest'
import { isSameJson } from '../src/text/same-json.ts'

test.each([
  ['{"a":1,"b":[true,null,"x"]}', ' { "b" : [ true , null , "x" ] , "a" : 1.0 } '],
  ['1.50', '15e-1'],
  ['-0.0', '0'],
  ['100', '1E+2'],
  ['"\\u00e9"', '"é"'],
  ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
  ['9007199254740993', '9007199254740993.000'],
])('%s is %s', (one, other) => {
  expect(isSameJson(one, other)).toBe(true)
})

test.each([
  ['9007199254740993', '9007199254740992'],
  ['0.1', '0.10000000000000000001'],
  ['1', '-1'],
  ['1', '"1"'],
  ['[1,2]', '[2,1]'],
  ['{"a":1}', '{"members":[["a",1]]}'],
  ['1', '{"number":"1e0"}'],
  ['{"a":1}', '{"a":1'],
])('%s is not %s', (one, other) => {
  expect(isSameJson(one, other)).toBe(false)
})
