/** What is stored of the events of a turn: each once, numbered without a gap. */
import { BrokerUnavailable } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { ownStore } from '@sekali/testkit/own'
import { at, event, upTo } from '@sekali/testkit/sample'
import { withTurn } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { readTopics } from '../src/operate/topics.ts'
import { readNewest, readTopic } from '../src/read/topic.ts'
import { commitEvents } from '../src/turn/commit.ts'
import type { Received } from '../src/turn/copy.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'
import { commit, orders, received } from './commit.ts'

test('a batch delivered twice is stored once [P4]', async () => {
  await using store = await ownStore()
  expect(await commit(store, received('a', 'b'))).toEqual({ stored: 2, duplicates: 0, conflicts: 0 })
  expect(await commit(store, received('a', 'b'))).toEqual({ stored: 0, duplicates: 2, conflicts: 0 })
})

test('duplicates burn no number [P5]', async () => {
  await using store = await ownStore()
  await commit(store, received('a', 'a', 'b', 'a'))
  await commit(store, received('b', 'c', 'a', 'd'))
  const { events } = await readTopic(store, { topic: orders, after: at(0), limit: 10 })
  expect(events.map(({ seq, eventId }) => `${seq}${eventId}`)).toEqual(['1a', '2b', '3c', '4d'])
  expect(await readTopics(store)).toMatchObject([{ stored: 4, duplicates: 4, headSeq: 4 }])
})

test('a batch may be one event or tens of thousands', async () => {
  await using store = await ownStore()
  for (const size of [1, 999, 20_000]) {
    const ids = Array.from({ length: size }, (_, index) => `${size}-${index}`)
    expect(await commit(store, received(...ids))).toEqual({ stored: size, duplicates: 0, conflicts: 0 })
  }
})

test('however many come, and whatever was expected of them, each is stored once and numbered in order [P4] [P5]', async () => {
  await using store = await ownStore()
  const ids = (from: number, count: number) => Array.from({ length: count }, (_, index) => `${from + index}`)
  const all = ids(0, 30_000)
  const tally = async (batch: string[]) => Object.values(await commit(store, received(...batch)))
  // Long enough without a repeat, the store no longer looks for one beforehand.
  for (let from = 0; from < 11_000; from += 1_000) {
    expect(await tally(all.slice(from, from + 1_000))).toEqual([1_000, 0, 0])
  }
  expect(await tally([...all.slice(11_000, 11_500), ...all.slice(7, 9)])).toEqual([500, 2, 0])
  expect(await tally([...all.slice(11_400, 11_510)])).toEqual([10, 100, 0])
  expect(await tally([...all.slice(11_500, 11_520)])).toEqual([10, 10, 0])
  const { rows } = await store.pool.query('SELECT event_id, seq::int FROM events ORDER BY seq')
  expect(rows).toEqual(all.slice(0, 11_520).map((id, index) => ({ event_id: id, seq: index + 1 })))
})

test('another content under a known id is a conflict, also when nothing known was expected [P7]', async () => {
  await using store = await ownStore()
  const ids = Array.from({ length: 10_000 }, (_, index) => `${index}`)
  for (let from = 0; from < ids.length; from += 5_000) {
    await commit(store, received(...ids.slice(from, from + 5_000)))
  }
  for (const [size, known] of [[100, 17] as const, [3, 18] as const]) {
    const other: Received = {
      event: event({ eventId: `${known}`, payload: '{"other":1}' }),
      receivedAt: '2025-12-08T10:00:01.000000Z',
    }
    const fresh = received(...ids.slice(0, size - 1).map((id) => `${size}-${id}`))
    expect(await commit(store, [...fresh, other])).toEqual({
      stored: size - 1,
      duplicates: 0,
      conflicts: 1,
    })
  }
})

test('a repeat with another timestamp is a duplicate, and the log keeps the first, however it is looked up', async () => {
  await using store = await ownStore()
  const at = (timestamp: string, eventId = 'a'): Received => ({
    event: event({ eventId, timestamp }),
    receivedAt: '2025-12-08T10:00:01.000000Z',
  })
  const [first, second] = ['2025-12-08T10:00:00.000000Z', '2025-12-08T10:00:00.000001Z']
  expect(await commit(store, [at(first), at(second)])).toEqual({ stored: 1, duplicates: 1, conflicts: 0 })
  expect(await commit(store, [at(second), at(second, 'b')])).toEqual({
    stored: 1,
    duplicates: 1,
    conflicts: 0,
  })
  const { rows } = await store.pool.query(`SELECT event_id, "timestamp" FROM events ORDER BY seq`)
  expect(rows.map(({ timestamp }) => timestamp)).toEqual([new Date(first), new Date(second)])
})

test('a reader never sees a later number before an earlier one, whatever the commits are doing [P5]', async () => {
  await using store = await ownStore()
  await ensureTopics(store, [orders])
  let writing = true
  const seen: number[] = []
  const reader = (async () => {
    while (writing) {
      const { events } = await readTopic(store, { topic: orders, after: at(seen.at(-1) ?? 0), limit: 100 })
      seen.push(...events.map(({ seq }) => seq))
    }
  })()
  for (let round = 0; round < 50; round++) {
    await commit(store, received(`${round}a`, `${round}b`))
    const rolledBack = withTurn(store, [orders], async (tx, turn) => {
      await commitEvents(tx, turn, received(`${round}x`))
      throw new BrokerUnavailable('give up')
    })
    await expect(rolledBack).rejects.toThrow()
  }
  writing = false
  await reader
  expect(seen).toEqual(upTo(seen.length))
  expect(seen.length).toBeGreaterThan(0)
})

test('should somebody write past the turn, the unique key refuses [P4]', async () => {
  await using store = await ownStore()
  await commit(store, received('a'))
  const insert = `INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
    SELECT topic_id, seq + 1, event_id, "timestamp", source, payload, received_at FROM events`
  await expect(store.pool.query(insert)).rejects.toMatchObject({ code: '23505' })
})

test('pages of all topics come newest first', async () => {
  await using store = await ownStore()
  for (const [topic, id] of [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['c', '4'],
  ] as const) {
    await commit(store, received(id), topic as TopicName)
  }
  const newest = await readNewest(store, 3)
  expect(newest.map(({ topic, eventId }) => topic + eventId)).toEqual(['c4', 'a3', 'b2'])
  expect((await readTopic(store, { topic: 'a', before: at(2), limit: 3 })).events).toMatchObject([
    { eventId: '1' },
  ])
  expect(await readTopic(store, { topic: 'none', limit: 3 })).toEqual({ events: [], more: false })
})

test('the look-up stays a descent of the index when a log that was small becomes large', async () => {
  await using store = await ownStore()
  await commit(store, received(...Array.from({ length: 20 }, (_, index) => `small-${index}`)))
  await store.pool.query('ANALYZE events')
  await withTurn(store, [orders], async (tx, turn) => {
    const batch = received('small-1', ...Array.from({ length: 99 }, (_, index) => `none-${index}`))
    // PostgreSQL considers a plan for keeps from the sixth execution of a session.
    for (let round = 1; round <= 7; round++) {
      await tx.$client.query('SAVEPOINT round')
      await commitEvents(tx, turn, batch)
      await tx.$client.query('ROLLBACK TO SAVEPOINT round')
    }
    await tx.$client.query(`
      INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
      SELECT 1, n, 'large-' || n, now(), 's', '{}', now() FROM generate_series(21, 20000) n`)
    const { rows } = await tx.$client.query(`EXPLAIN EXECUTE find_known ('{1,1}', '{a,b}', '{9,9}')`)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('events_topic_id_event_id_unique')
    expect(plan).not.toContain('Seq Scan')
  })
})

test('a seq that is taken is nobody’s dead letter: the turn fails, to be tried again', async () => {
  await using store = await ownStore()
  await commit(store, received('a', 'b', 'c'))
  await store.pool.query('UPDATE topics SET head = head - 2')
  const refused = expect.objectContaining({
    code: 'store_unavailable',
    message: expect.stringContaining('topics.head'),
  })
  await expect(commit(store, received('d'))).rejects.toEqual(refused)
  await expect(commit(store, received(...Array.from({ length: 100 }, (_, i) => `m${i}`)))).rejects.toEqual(
    refused,
  )
})
