import { expect, test } from 'vitest'
import { readNext } from '../src/projections/read-next.ts'
import { foundIn, lookAll, ownLog, seqsOf } from './looks.ts'

test('a log without a gap is looked at whole, topic after topic', async () => {
  await using store = await ownLog({ a: 1, b: 3_000, c: 1_024, d: 1_025 })
  await store.pool.query("INSERT INTO topics (name) VALUES ('empty')")
  const looks = await lookAll(store)
  expect(foundIn(looks)).toEqual([])
  expect(seqsOf(looks)).toBe(5_050)
})

test.each([
  ['the first', 1, 1],
  ['the last', 3_000, 3_000],
  ['several in a span', 1_500, 1_502],
  ['all', 1, 3_000],
])('%s of the rows deleted by hand: the first seq that is missing is found', async (_, from, to) => {
  await using store = await ownLog({ a: 2, b: 3_000, c: 2 })
  await store.pool.query('DELETE FROM events WHERE topic_id = 2 AND seq BETWEEN $1 AND $2', [from, to])
  expect(foundIn(await lookAll(store))[0]).toMatchObject({
    topic: 'b',
    seq: from,
    missing: Math.min(to - from + 1, 1_024),
  })
})

test('what a projection reads next ends at a gap, and never goes on with another topic’s events', async () => {
  await using store = await ownLog({ a: 10, b: 10 })
  await store.pool.query('DELETE FROM events WHERE topic_id = 1 AND seq BETWEEN 5 AND 10')
  const next = (topicId: number, topic: string, after: number, count: number) =>
    ({ topicId, topic, after, count }) as Parameters<typeof readNext>[1][number]
  const { events, gap } = await readNext(store.db, [next(1, 'a', 2, 8), next(2, 'b', 4, 6)])
  expect(events.map(({ event: { topic, seq } }) => [topic, seq])).toEqual([
    ['a', 3],
    ['a', 4],
  ])
  expect(gap).toEqual({ topic: 'a', seq: 5 })
  expect((await readNext(store.db, [next(2, 'b', 4, 6)])).gap).toBeUndefined()
})
