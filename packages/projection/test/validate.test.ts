import { expect, test } from 'vitest'
import { validate } from '../src/validate.ts'

test('a definition that does not fit says where and why', () => {
  const good = { name: 'x', topics: ['a.>', 'b'], initial: 0, apply: () => 0 }
  expect(validate(good)).toMatchObject({ version: 1, keyed: false, initial: '0' })
  expect(['a.b', 'a.b.c', 'b'].every((topic) => validate(good).topicRegex.test(topic))).toBe(true)
  expect(['a', 'b.c', 'xa.b'].some((topic) => validate(good).topicRegex.test(topic))).toBe(false)
  expect(() => validate({ ...good, name: 'a b' })).toThrow('name must be 1 to 64')
  expect(() => validate({ ...good, topics: [] })).toThrow('topics must be a topic or a pattern')
  expect(() => validate({ ...good, topics: 'a..b' })).toThrow('topics must be')
  expect(() => validate({ ...good, version: 1.5 })).toThrow('version must be a whole number')
  expect(() => validate({ ...good, initial: new Map() })).toThrow('a Map')
  expect(() => validate({ ...good, onError: 'ignore' })).toThrow("onError must be 'stop' or 'skip'")
  expect(() => validate({ topics: 'a', apply: 1 })).toThrow(
    /name is missing; initial is missing; apply must be/,
  )
})
