import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readRanges } from '../src/read/ranges.ts'

test('pages of several topics are one merge by time that keeps each topic by seq, though clocks step back', async () => {
  await using store = await ownStore()
  const names = ['a', 'b', 'c']
  await store.pool.query('INSERT INTO topics (name) SELECT unnest($1::text[])', [names])
  // Every time is another one, and many are before that of the seq before.
  await store.pool.query(`
    INSERT INTO events (topic_id, seq, event_id, "timestamp", received_at, stored_at, source, payload)
    SELECT t.id, n, 'e' || n, now(), now(),
      timestamptz '2025-01-01' + (n * 10 + (n * 37 + t.id * 11) % 60) * interval '1 s' + t.id * interval '1 ms',
      'test', '{}'
    FROM topics t, generate_series(1, 40) n`)
  const { rows } = await store.pool.query<{ id: number; seq: string; at: string }>(
    'SELECT topic_id AS id, seq, stored_at::text AS at FROM events ORDER BY topic_id, seq',
  )
  const queues = [...Map.groupBy(rows, ({ id }) => id).values()]
  const merged: string[] = []
  while (queues.some(({ length }) => length > 0)) {
    const heads = queues.filter(({ length }) => length > 0)
    const next = heads.reduce((best, queue) => ((queue[0]?.at ?? '') < (best[0]?.at ?? '') ? queue : best))
    const { id, seq } = next.shift() ?? { id: 0, seq: '' }
    merged.push(`${id}.${seq}`)
  }

  const places = new Map(rows.map(({ id }) => [id, 0]))
  const read: string[] = []
  for (let page = -1; page !== 0; ) {
    const ranges = [...places].map(([topicId, after]) => ({ topicId, epoch: 1, after, upTo: 40 }))
    const found = await readRanges(store, ranges, { eventsMax: 7, bytesMax: 10_000 })
    for (const { topicId, event } of found) {
      places.set(topicId, event.seq)
      read.push(`${topicId}.${event.seq}`)
    }
    page = found.length
    expect(page).toBeLessThanOrEqual(7)
  }
  expect(read).toEqual(merged)
  const few = await readRanges(store, [{ topicId: rows[0]?.id ?? 0, epoch: 1, after: 3, upTo: 6 }], {
    eventsMax: 7,
    bytesMax: 10_000,
  })
  expect(few.map(({ event }) => event.seq)).toEqual([4, 5, 6])
})

test('a page ends when it has its bytes as they are sent, and has one event however large that is', async () => {
  await using store = await ownStore()
  await store.pool.query("INSERT INTO topics (name) VALUES ('a')")
  await store.pool.query(`
    INSERT INTO events (topic_id, seq, event_id, "timestamp", received_at, source, payload)
    SELECT 1, n, 'e' || n, now(), now(), 'test', json_build_object('text', repeat('x', 5000)) -- a hundredth of it on disk
    FROM generate_series(1, 10) n`)
  const read = async (bytesMax: number) =>
    (await readRanges(store, [{ topicId: 1, epoch: 1, after: 0, upTo: 10 }], { eventsMax: 100, bytesMax }))
      .length
  expect(await read(1)).toBe(1)
  expect(await read(12_500)).toBe(3)
  expect(await read(1_000_000)).toBe(10)
})
