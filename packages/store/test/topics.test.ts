/** The figures of topics, of which PostgreSQL sends hundreds in one row. */
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readTopics } from '../src/operate/topics.ts'

test('the figures of more topics than a row holds come by name, with what is not known as null', async () => {
  await using store = await ownStore()
  expect(await readTopics(store)).toEqual([])
  await store.pool.query(`
    INSERT INTO topics (name, head, stream_group, accounted, seen, duplicates, conflicts, dead, lost, epoch, loss_at)
    SELECT 't' || n, n, nullif('g-' || n, 'g-7'), n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7,
      CASE WHEN n % 2 = 1 THEN timestamptz '2026-01-01T00:00:00.25Z' END
    FROM generate_series(1, 600) n`)
  const topics = await readTopics(store)
  expect(topics.map(({ topic }) => topic)).toEqual(Array.from({ length: 600 }, (_, n) => `t${n + 1}`).sort())
  const one = (name: string) => topics.find(({ topic }) => topic === name)
  expect(one('t7')).toEqual({
    topic: 't7',
    group: null,
    accounted: 8,
    seen: 9,
    stored: 7,
    duplicates: 10,
    conflicts: 11,
    dead: 12,
    lost: 13,
    lossAt: '2026-01-01T00:00:00.250000Z',
    headSeq: 7,
    epoch: 14,
  })
  expect(one('t600')).toMatchObject({ group: 'g-600', lossAt: null })
})
