import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readForks } from '../src/read/forks.ts'

test('forks are read by topic, in the order of their epochs, and topics without one are left out', async () => {
  await using store = await ownStore()
  await store.pool.query(`
    INSERT INTO topics (name, head, epoch) VALUES ('a', 900, 3), ('b', 7, 1), ('c', 20, 2);
    INSERT INTO forks (topic_id, epoch, forked_at, at)
    SELECT id, f.epoch, f.forked_at, f.at::timestamptz FROM topics JOIN (VALUES
      ('a', 3, 400, '2026-02-01 00:00:00.25+00'), ('a', 2, 500, '2026-01-01 00:00:00+00'), ('c', 2, 0, '2026-03-01 00:00:00+00')
    ) f (name, epoch, forked_at, at) USING (name)`)
  const all = await readForks(store)
  expect([...all.values()]).toEqual([
    {
      topicId: 1,
      topic: 'a',
      epoch: 3,
      forks: [
        { epoch: 2, forkedAt: 500, at: '2026-01-01T00:00:00.000000Z' },
        { epoch: 3, forkedAt: 400, at: '2026-02-01T00:00:00.250000Z' },
      ],
    },
    {
      topicId: 3,
      topic: 'c',
      epoch: 2,
      forks: [{ epoch: 2, forkedAt: 0, at: '2026-03-01T00:00:00.000000Z' }],
    },
  ])
  expect([...(await readForks(store, [2, 3])).keys()]).toEqual([3])
  expect(await readForks(store, [])).toEqual(new Map())
})

test('a topic that has begun another epoch is in use: made again, it would begin in the first one', async () => {
  await using store = await ownStore()
  await store.pool.query(`
    INSERT INTO topics (name, epoch) VALUES ('a', 2);
    INSERT INTO forks (topic_id, epoch, forked_at) VALUES (1, 2, 0)`)
  const drop = async () => (await store.pool.query("SELECT drop_topic('a') AS outcome")).rows
  expect(await drop()).toEqual([{ outcome: 'in_use' }])
  expect((await store.pool.query('SELECT FROM forks')).rowCount).toBe(1)
})

test('a topic in the epoch in which new ones begin can be dropped, and takes its forks with it', async () => {
  await using store = await ownStore()
  await store.pool.query(`
    INSERT INTO topics (name, epoch) VALUES ('a', 2);
    INSERT INTO forks (topic_id, epoch, forked_at) VALUES (1, 2, 0), (0, 2, 0)`)
  await store.pool.query("SELECT drop_topic('a')")
  expect((await store.pool.query('SELECT topic_id FROM forks')).rows).toEqual([{ topic_id: 0 }])
})
