import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { canonicalJson, isSameJson } from '../src/text/canonical-json.ts'
import { damaged, randomJson, seededRandom } from './random-json.ts'
import { changed, value, write } from './written-json.ts'

// Stored with events, so what is made of a text today has to be made of it for ever.
test.each([
  [' { "b" : [ true , null , "x" ] , "a" : 1.0 } ', '{"a":1,"b":[true,null,"x"]}'],
  [
    '[1,-1,10,100,0.5,1.50,15e-1,1E+2,-0.0,0e9,12345678901234567890]',
    '[1,-1,1e1,1e2,5e-1,15e-1,15e-1,1e2,0,0,1234567890123456789e1]',
  ],
  ['"\\u0041\\/\\u00e9\\n\\u000A\\u0001\\ud83d\\ude00\\u2028"', '"A/é\\n\\n\\u0001😀\u2028"'],
  ['{"a":1,"\\u0061":2}', '{"a":2}'],
  ['{"\u{10000}":1,"\uffff":2,"a!":3,"a":4,"":5}', '{"":5,"a":4,"a!":3,"\uffff":2,"\u{10000}":1}'],
  ['{"__proto__":{"a":1},"10":1,"9":2}', '{"10":1,"9":2,"__proto__":{"a":1}}'],
  ['9007199254740993', '9007199254740993'],
  ['1e99999999999999999999', '1e99999999999999999999'],
  ['10e99999999999999999999', '1e100000000000000000000'],
  ['0.01e-99999999999999999999', '1e-100000000000000000001'],
  ['0.1e1000000000000000000', '1e999999999999999999'],
])('%s has the form %s', (text, form) => {
  expect(canonicalJson(text)).toBe(form)
})

test('whatever way a value is written, its form is the same, and is its own form', () => {
  fc.assert(
    fc.property(value, fc.integer(), fc.integer(), (value, one, other) => {
      const form = canonicalJson(write(value, seededRandom(one)))
      expect(form).toBeDefined()
      expect(canonicalJson(write(value, seededRandom(other)))).toBe(form)
      expect(canonicalJson(form ?? '')).toBe(form)
    }),
    { numRuns: 500, seed: 18 },
  )
})

test('whatever is changed in a value, its form is another', () => {
  fc.assert(
    fc.property(value, fc.integer(), (value, seed) => {
      const random = seededRandom(seed)
      const other = changed(value, random)
      expect(canonicalJson(write(other, random))).not.toBe(canonicalJson(write(value, random)))
    }),
    { numRuns: 500, seed: 18 },
  )
})

test('what is no JSON has no form, and the form means to JSON.parse what the text means', () => {
  const random = seededRandom(18)
  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }
  for (let round = 0; round < 3_000; round++) {
    const text = round % 2 === 0 ? randomJson(random, 4) : damaged(randomJson(random, 4), random)
    const form = canonicalJson(text)
    // In double arithmetic -0 is apart from 0; as a decimal it is not.
    if (form === undefined) expect(parsed(text), text).toBeUndefined()
    else expect(withoutSigns(parsed(form)), text).toEqual(withoutSigns(parsed(text)))
  }
})

const withoutSigns = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('no text of the size of a payload takes long or much, and more levels than a payload may have are refused', () => {
  const size = limits.payloadBytesMax
  for (const text of [
    `1e${'9'.repeat(size)}`,
    `-0.${'0'.repeat(size)}1e-${'9'.repeat(40)}`,
    `1${'0'.repeat(size)}`,
    `[${'1,'.repeat(size / 2)}1]`,
  ]) {
    expect(canonicalJson(text)?.length).toBeLessThan(size * 1.1)
  }
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  expect(canonicalJson(nested(limits.payloadDepthMax))).toBeDefined()
  expect(canonicalJson(nested(limits.payloadDepthMax + 1))).toBeUndefined()
  expect(canonicalJson('['.repeat(size))).toBeUndefined()
})

test.each([
  ['9007199254740993', '9007199254740992'],
  ['0.1', '0.10000000000000000001'],
  ['1', '-1'],
  ['1', '"1"'],
  ['[1,2]', '[2,1]'],
  ['{"a":1}', '{"members":[["a",1]]}'],
  ['{"a":1}', '{"a":1'],
  ['{"a":1', '{"a":1'],
])('%s is not %s', (one, other) => {
  expect(isSameJson(one, other)).toBe(false)
})

test('what means the same is the same', () => {
  expect(isSameJson('{"a":1,"b":[true,null,"x"]}', ' { "b" : [ true , null , "x" ] , "a" : 1.0 } ')).toBe(
    true,
  )
})
