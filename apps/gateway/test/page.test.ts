import type { StoredEvent } from '@sekali/core/event'
import { expect, test } from 'vitest'
import { nextPage, type Page, parsePage } from '../src/page.ts'

test.each([
  ['', { limit: 100 }],
  ['topic=orders.eu', { topic: 'orders.eu', limit: 100 }],
  ['limit=1', { limit: 1 }],
  ['limit=1000', { limit: 1000 }],
  ['topic=a&after=0&limit=5', { topic: 'a', limit: 5, after: 0 }],
  ['topic=a&before=9007199254740991', { topic: 'a', limit: 100, before: 9007199254740991 }],
])('?%s', (query, page) => {
  expect(parsePage(new URLSearchParams(query))).toEqual(page)
})

test.each([
  ['limit=0', 'limit', 'invalid_limit'],
  ['limit=1001', 'limit', 'invalid_limit'],
  ['limit=', 'limit', 'invalid_limit'],
  ['limit=-1', 'limit', 'invalid_limit'],
  ['limit=%2B5', 'limit', 'invalid_limit'],
  ['limit=1e2', 'limit', 'invalid_limit'],
  ['limit=1.5', 'limit', 'invalid_limit'],
  ['limit=ten', 'limit', 'invalid_limit'],
  ['limit=5&limit=5', 'limit', 'repeated_parameter'],
  ['topic=', 'topic', 'invalid_topic'],
  ['topic=a..b', 'topic', 'invalid_topic'],
  ['topic=a%00', 'topic', 'invalid_topic'],
  [`topic=${'x'.repeat(129)}`, 'topic', 'invalid_topic'],
  ['after=1', 'topic', 'missing_topic'],
  ['before=1', 'topic', 'missing_topic'],
  ['topic=a&after=-1', 'after', 'invalid_after'],
  ['topic=a&after=9007199254740992', 'after', 'invalid_after'],
  ['topic=a&after=99999999999999999999', 'after', 'invalid_after'],
  ['topic=a&before=0', 'before', 'invalid_before'],
  ['topic=a&after=1&before=5', 'before', 'contradictory_parameters'],
  ['offset=5', 'offset', 'unknown_parameter'],
  ['__proto__=5', '__proto__', 'unknown_parameter'],
])('?%s is refused', (query, path, code) => {
  expect(parsePage(new URLSearchParams(query))).toMatchObject({ issues: [{ path, code }] })
})

test('all parameters that do not fit are named at once, without their values', () => {
  const page = parsePage(new URLSearchParams('topic=!secret&limit=secret&secretly=no'))
  expect('issues' in page && page.issues.map((issue) => issue.path)).toEqual(['secretly', 'topic', 'limit'])
  expect(JSON.stringify(page)).not.toContain('!secret')
})

test.each([
  [{ topic: 'a.b', limit: 2, after: 3 }, '/events?topic=a.b&limit=2&after=5'],
  [{ topic: 'a.b', limit: 2, before: 9 }, '/events?topic=a.b&limit=2&before=5'],
  [{ topic: 'a.b', limit: 2 }, '/events?topic=a.b&limit=2&before=5'],
  [{ limit: 2 }, undefined],
])('after a page %j comes %s', (page, next) => {
  expect(nextPage(page as Page, { seq: 5 } as StoredEvent)).toBe(next)
})
