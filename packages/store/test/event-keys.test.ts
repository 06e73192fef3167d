/** Keys of event ids and tags of contents: the same in SQL, and what is decided by them. */
import { createHash, randomBytes } from 'node:crypto'
import { ownStore } from '@sekali/testkit/own'
import { upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { compareTags, contentTag, kindOf, type TagKind } from '../src/keys/content-tag.ts'
import { keysOf } from '../src/keys/event-key.ts'
import { readPepper } from '../src/keys/pepper.ts'
import { commit, orders, received } from './commit.ts'

const pepper = createHash('sha256').update('a test').digest()
const uuidV7 = (ms: number, rest: string) => {
  const time = ms.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-a${rest.slice(3, 6)}-${rest.slice(6, 18)}`
}
const hex = (digits: number) => randomBytes(digits).toString('hex').slice(0, digits)

const ids = [
  ...[
    '1',
    '12',
    '123',
    '1234',
    'order-000',
    'order-999',
    'order-1000',
    'a12',
    '12a',
    '１２３',
    '٣٤٥',
    '-007',
  ],
  ...[
    'é',
    'e\u0301',
    '日本語-42',
    '🦊🦊',
    '🦊123',
    '\u2028',
    '"\\%_',
    "o'clock",
    'a\tb',
    ' ',
    'A',
    'a',
    '\\x41',
  ],
  ...['x'.repeat(255), '語'.repeat(255), `${'語'.repeat(252)}123`, '0'.repeat(255)],
  ...['018f4c3a-5b6c-7def-8123-456789abcdef', '018F4C3A-5B6C-7DEF-8123-456789ABCDEF'],
  ...['018f4c3a-5b6c-7def-c123-456789abcdef', '018f4c3a-5b6c-4def-8123-456789abcdef'],
  ...['018f4c3a5b6c7def8123456789abcdef', '018f4c3a-5b6c-7def-8123-456789abcdef\n', '123\n'],
  ...upTo(200).map(() => uuidV7(1_764_000_000_000 + Math.floor(Math.random() * 1e9), hex(18))),
  ...upTo(200).map(() => crypto.randomUUID()),
  ...upTo(2_100).map((n) => `${n}`),
  ...upTo(200).map((n) => `shop-7-${n * 37}`),
  ...upTo(300).map((n) =>
    String.fromCodePoint(...upTo(1 + (n % 9)).map((m) => 0xa0 + ((n * m * 7919) % 0xc000))),
  ),
]

test('keys and tags are the same in TypeScript and in SQL, whatever the id and the content', async () => {
  await using store = await ownStore()
  for (const topicId of [1, 70_000, 2 ** 31 - 1]) {
    const { rows } = await store.pool.query<{ key: string }>(
      `SELECT event_key($1::bytea, $2, id) AS key FROM unnest($3::text[]) WITH ORDINALITY AS i (id, at) ORDER BY at`,
      [pepper, topicId, ids],
    )
    const keyOf = keysOf(pepper, topicId)
    expect(ids.map((id) => [id, keyOf(id)])).toEqual(
      rows.map(({ key }, at) => [ids[at], key.replaceAll('-', '')]),
    )
  }
  const contents = [...ids.map((id) => ['shop', `{"a":${JSON.stringify(id)}}`]), ['é', '{}']]
  contents.push(['s', `{"a":"${'語'.repeat(40_000)}"}`], ['s', `{"a":"${'x'.repeat(200_000)}"}`])
  for (const kind of ['bytes', 'json'] as const) {
    const { rows } = await store.pool.query<{ tag: string }>(
      `SELECT content_tag($1::bytea, $2, source, payload) AS tag
       FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS c (source, payload, at) ORDER BY at`,
      [pepper, kind, contents.map(([source]) => source), contents.map(([, payload]) => payload)],
    )
    const tags = contents.map(([source = '', payload = '']) => contentTag(pepper, kind, source, payload))
    expect(tags).toEqual(rows.map(({ tag }) => tag.replaceAll('-', '')))
    expect(new Set(tags.map(kindOf))).toEqual(new Set([kind]))
  }
})

test('a key is a UUID of version 8, another one for each id, topic and pepper', () => {
  const keys = [pepper, randomBytes(32)].flatMap((one) =>
    [1, 2].flatMap((topicId) => {
      const keyOf = keysOf(one, topicId)
      return [...new Set(ids)].map(keyOf)
    }),
  )
  expect(new Set(keys).size).toBe(4 * new Set(ids).size)
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
})

test('ids that come in order have keys that lie together, and tell no more than their time or their last three digits', () => {
  const keyOf = keysOf(pepper, 1)
  const places = (of: readonly string[]) => of.map((id) => keyOf(id).slice(0, 12))
  const times = upTo(50).map((ms) => 1_764_000_000_000 + ms)
  const ofTimes = places(times.map((ms) => uuidV7(ms, hex(18))))
  expect(ofTimes).toEqual(times.map((ms) => ms.toString(16).padStart(12, '0')))
  const thousand = places(upTo(999, 0).map((n) => `order-${7_000 + n}`)).map((place) => Number(`0x${place}`))
  expect(thousand.map((place) => place - (thousand[0] as number))).toEqual(upTo(999, 0))
  // The next thousand lie elsewhere, as those of another topic.
  expect(places(['order-8000'])[0]?.slice(0, 9)).not.toBe(places(['order-7999'])[0]?.slice(0, 9))
  expect(keysOf(pepper, 2)('order-7000').slice(0, 9)).not.toBe(keyOf('order-7000').slice(0, 9))
  expect(
    new Set(places(upTo(50).map(() => `a${crypto.randomUUID()}b`)).map((place) => place.slice(0, 2))).size,
  ).toBeGreaterThan(20)
})

test('tags differ by source, payload and where one ends, not by timestamp; of two kinds they are not compared', () => {
  const tag = (kind: TagKind, source: string, payload: string) => contentTag(pepper, kind, source, payload)
  const one = tag('bytes', 'ab', 'c')
  expect(compareTags(one, tag('bytes', 'ab', 'c'))).toBe(true)
  for (const other of [
    tag('bytes', 'a', 'bc'),
    tag('bytes', 'ab', 'd'),
    contentTag(randomBytes(32), 'bytes', 'ab', 'c'),
  ])
    expect(compareTags(one, other)).toBe(false)
  expect(compareTags(one, tag('json', 'ab', 'c'))).toBeUndefined()
})

test('what a turn stores has the key and the tag that SQL makes of it', async () => {
  await using store = await ownStore()
  await commit(store, received(...ids.filter((id) => !id.includes('\n'))))
  const { rows } = await store.pool.query(`
    SELECT count(*)::int AS wrong FROM events
    WHERE event_key <> event_key(topic_id, event_id) OR content_tag <> content_tag(source, payload::text)`)
  expect(rows).toEqual([{ wrong: 0 }])
  expect(await readPepper(store)).toHaveLength(32)
})

test('a log without its pepper takes nothing, and says what is gone', async () => {
  await using store = await ownStore()
  await commit(store, received('a'), orders)
  await store.pool.query('DELETE FROM installation')
  await expect(commit(store, received('b'), orders)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('installation'),
  })
})
