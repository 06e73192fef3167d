import { parsePattern } from '@sekali/core/pattern'
import { at } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { nextPage, type Page, parsePage } from '../src/read/query.ts'

const named = (topic: string) => ({ topics: parsePattern(topic) })

test.each([
  ['', {}],
  ['topic=orders.eu', named('orders.eu')],
  ['topic=orders.%3E', named('orders.>')],
  ['limit=1', { limit: 1 }],
  ['limit=1000', { limit: 1000 }],
  ['topic=a&after=0&limit=5', { ...named('a'), limit: 5, after: at(0) }],
  ['topic=a&before=9007199254740991', { ...named('a'), before: at(9007199254740991) }],
  ['topic=a&after=1&before=5&order=desc', { ...named('a'), after: at(1), before: at(5), order: 'desc' }],
  ['topic=a.*&after=0', { ...named('a.*'), after: new Map() }],
  [
    'topic=a.*&after=1.2s_7.k',
    {
      ...named('a.*'),
      after: new Map([
        [1, at(100)],
        [7, at(20)],
      ]),
    },
  ],
  [
    'topic=a.*&after=a.b:5,a.c:0',
    {
      ...named('a.*'),
      after: new Map([
        ['a.b', at(5)],
        ['a.c', at(0)],
      ]),
    },
  ],
  ['topic=a&after=2.600&before=3.700', { ...named('a'), after: at(600, 2), before: at(700, 3) }],
  ['topic=a.*&after=1.2.2s', { ...named('a.*'), after: new Map([[1, at(100, 2)]]) }],
  ['topic=a.*&before=a.b:2.5', { ...named('a.*'), before: new Map([['a.b', at(5, 2)]]) }],
  ['source=shop&by=received_at', { source: 'shop', by: 'received_at' }],
  ['from=2025-12-08T10:00:00%2B01:00', { from: '2025-12-08T09:00:00.000000Z' }],
  ['from=2025-12-08T10:00:00+01:00', { from: '2025-12-08T09:00:00.000000Z' }],
  ['to=2025-12-08T10:00Z', { to: '2025-12-08T10:00:00.000000Z' }],
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
  ['topic=a&after=1.2s', 'after', 'invalid_after'],
  ['topic=a&after=1.5', 'after', 'invalid_after'],
  ['topic=a&before=2.0', 'before', 'invalid_before'],
  ['topic=a.*&after=a.b:1.5', 'after', 'invalid_after'],
  ['topic=a.*&after=7', 'after', 'invalid_after'],
  ['topic=a.*&after=7.k_1.1', 'after', 'invalid_after'],
  ['topic=a.*&after=a:1,b', 'after', 'invalid_after'],
  ['topic=a.*&before=a..b:1', 'before', 'invalid_before'],
  ['topic=a.*&before=b.c:1', 'before', 'invalid_before'],
  ['topic=a.*&after=a.b:1,a.b:2', 'after', 'invalid_after'],
  ['topic=a.>.b', 'topic', 'invalid_topic'],
  ['source=', 'source', 'invalid_source'],
  ['from=2025-12-08', 'from', 'invalid_from'],
  ['to=now', 'to', 'invalid_to'],
  ['from=2025-12-08T10:00:00Z&to=2025-12-08T09:00:00Z', 'to', 'contradictory_parameters'],
  ['by=stored_at', 'by', 'invalid_by'],
  ['order=up', 'order', 'invalid_order'],
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

test('lines have no limit but the one that is asked for', () => {
  expect(parsePage(new URLSearchParams('limit=1000000'), Number.MAX_SAFE_INTEGER)).toEqual({
    limit: 1_000_000,
  })
})

test.each([
  ['topic=a.b&limit=2&after=3', at(5), '?topic=a.b&limit=2&after=5'],
  ['topic=a.b&limit=2&before=9', at(5), '?topic=a.b&limit=2&before=5'],
  ['topic=a.b&limit=2', at(5), '?topic=a.b&limit=2&before=5'],
  ['topic=a.b&after=3&before=9', at(5), '?topic=a.b&limit=100&after=5&before=9'],
  ['topic=a.b&after=3&before=9&order=desc', at(5), '?topic=a.b&limit=100&order=desc&after=3&before=5'],
  ['topic=a.b&order=asc', at(5), '?topic=a.b&limit=100&order=asc&after=5'],
  ['topic=a.b&after=400', at(5, 2), '?topic=a.b&limit=100&after=2.5'],
  ['topic=a.*&after=0', new Map([[1, at(100, 2)]]), '?topic=a.*&limit=100&after=1.2.2s'],
  ['topic=a.*', new Map([[1, at(100)]]), '?topic=a.*&limit=100&before=1.2s'],
  [
    'source=é&from=2025-12-08T10:00:00%2B01:00&by=received_at',
    new Map([[1, at(100)]]),
    '?topic=%3E&limit=100&source=%C3%A9&from=2025-12-08T10%3A00%3A00%2B01%3A00&by=received_at&before=1.2s',
  ],
])('after a page ?%s comes %j', (text, bound, next) => {
  const query = new URLSearchParams(text)
  const page = parsePage(query) as Page
  expect(nextPage(query, page, bound)).toBe(next)
  expect(parsePage(new URL(next, 'http://x/events').searchParams)).not.toHaveProperty('issues')
})
