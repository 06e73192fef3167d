import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allowsPattern, allowsTopic } from '../src/access/access.ts'
import { matches, parsePattern } from '../src/log/pattern.ts'

const grant = (...topics: string[]) => ({ topics: topics.map(parsePattern) })
const allows = (outer: string, inner: string) => allowsPattern(grant(outer), parsePattern(inner))

test.each([
  ['>', '>'],
  ['>', 'a'],
  ['>', 'a.*.b'],
  ['a.>', 'a.b'],
  ['a.>', 'a.>'],
  ['a.>', 'a.*.>'],
  ['a.*', 'a.*'],
  ['a.*', 'a.b'],
  ['*.paid', 'eu.paid'],
  ['a', 'a'],
])('%s covers %s', (outer, inner) => {
  expect(allows(outer, inner)).toBe(true)
})

test.each([
  ['a.>', '>'],
  ['a.>', 'a'],
  ['a.>', 'ab.c'],
  ['a.*', 'a.>'],
  ['a.*', 'a.b.c'],
  ['*', '>'],
  ['*.>', '>'],
  ['a.b', 'a.*'],
  ['a', 'a.b'],
  ['a.b', 'a'],
])('%s does not cover %s', (outer, inner) => {
  expect(allows(outer, inner)).toBe(false)
})

const segment = fc.constantFrom('a', 'b', '*')
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, isOpen]) => [...segments, ...(isOpen ? ['>'] : [])].join('.'))
const topic = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 })
  .map((all) => all.join('.'))

test('a pattern that is covered matches no topic that its cover does not', () => {
  fc.assert(
    fc.property(pattern, pattern, topic, (outer, inner, name) => {
      const isLeak = matches(parsePattern(inner), name) && !allowsTopic(grant(outer), name)
      return !(isLeak && allows(outer, inner))
    }),
    { numRuns: 5_000 },
  )
})

test('a pattern that is not covered matches some topic that the other does not', () => {
  const names = ['a', 'b', 'c'].flatMap((one) => [one, ...['a', 'b', 'c'].map((two) => `${one}.${two}`)])
  const all = [...names, ...names.flatMap((one) => names.map((two) => `${one}.${two}`))]
  fc.assert(
    fc.property(pattern, pattern, (outer, inner) => {
      const leaks = all.some((name) => matches(parsePattern(inner), name) && !allowsTopic(grant(outer), name))
      return leaks || allows(outer, inner)
    }),
    { numRuns: 2_000 },
  )
})
