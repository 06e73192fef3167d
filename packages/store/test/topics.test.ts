/** The figures of topics, of which PostgreSQL sends hundreds in one row. */
import { randomUUID } from 'node:crypto'
import type { TopicName } from '@sekali/core/event'
import { ownStore } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { readTopicSize } from '../src/operate/topic-size.ts'
import { readTopics } from '../src/operate/topics.ts'

test('the figures of more topics than a row holds are those of each, with what is not known as null', async () => {
  await using store = await ownStore()
  expect(await readTopics(store)).toEqual([])
  await store.pool.query(`
    INSERT INTO topics (name, head, stream_group, accounted, seen, duplicates, conflicts, dead, lost, epoch, loss_at)
    SELECT 't' || n, n, nullif('g-' || n, 'g-7'), n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7,
      CASE WHEN n % 2 = 1 THEN timestamptz '2026-01-01T00:00:00.25Z' END
    FROM generate_series(1, 600) n`)
  const topics = await readTopics(store)
  expect(topics.map(({ topic }) => topic).sort()).toEqual(
    Array.from({ length: 600 }, (_, n) => `t${n + 1}`).sort(),
  )
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

test.for([40, 1_500])(
  'the size of a topic is about what its events take, with payloads of %i bytes',
  async (bytes) => {
    await using store = await ownStore()
    const topic = 'orders' as TopicName
    expect(await readTopicSize(store, topic)).toBeUndefined()
    const count = 10_000 // PostgreSQL takes room for a table in steps that grow with it
    const payload = JSON.stringify({ fill: 'x'.repeat(bytes) })
    const events = upTo(count).map((n) =>
      event({ topic, eventId: randomUUID(), payload, source: `shop-${n % 7}` }),
    )
    await storeEvents(store, events)
    const size = await readTopicSize(store, topic)
    expect(size?.events).toBe(count)
    const { rows } = await store.pool.query<{ bytes: string }>(
      "SELECT pg_total_relation_size('events') AS bytes",
    )
    const real = Number(rows[0]?.bytes)
    expect(size?.bytes).toBeGreaterThan(0.75 * real)
    expect(size?.bytes).toBeLessThan(1.25 * real)
  },
)
