/** Topics come and go, and subscriptions go on. */
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { dropTopic } from '../src/operate/drop-topic.ts'
import type { Store } from '../src/postgres/connect.ts'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import { add, all, by, configOf, get, gets, seqsOf } from './subscriptions.ts'

test('a topic that is dropped is forgotten, and joins again when it is made again', async () => {
  await using store = await ownStore()
  await store.pool.query(`INSERT INTO topics (name) VALUES ('orders')`)
  await putSubscription(store, configOf(), by)
  const members = async () => (await store.pool.query('SELECT * FROM subscriptions.members')).rows
  expect(await members()).toHaveLength(1)
  const forget = async () => 'dropped' as const
  expect(await dropTopic(store, 'orders' as never, forget, by)).toBe('dropped')
  expect(await members()).toEqual([])
  expect((await store.pool.query('SELECT * FROM subscriptions.cursors')).rows).toEqual([])
  await add(store, 'orders', 2)
  expect(seqsOf(await get(store, 9))).toEqual([1, 2])
})

test('a topic that becomes visible late joins all the same', async () => {
  await using store = await ownStore()
  await using other = await ownTransaction(store)
  await other.query(`INSERT INTO topics (name) VALUES ('late')`)
  await putSubscription(store, configOf(all), by)
  await add(store, 'orders', 1)
  expect(await gets(store)).toEqual({ orders: [1] })
  await other.query('COMMIT')
  await add(store, 'late', 2)
  await lookAtSubscriptions(store)
  expect(await gets(store)).toEqual({ late: [1, 2] })
})

async function ownTransaction(store: Store) {
  const client = await store.pool.connect()
  await client.query('BEGIN')
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.release(true) })
}

test('a pattern is not bound to so many topics, and none waits for another', async () => {
  await using store = await ownStore()
  await store.pool.query(`INSERT INTO topics (name, head) SELECT 't' || n, 3 FROM generate_series(1, 600) n`)
  await store.pool.query(
    `INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, event_key, content_tag)
     SELECT t.id, n, 'e' || n, 's', '1', now(), now(), event_key(t.id, 'e' || n), gen_random_uuid()
     FROM topics t, generate_series(1, 3) n`,
  )
  await putSubscription(store, configOf({ ...all, outstandingMax: 10_000 }), by)
  const seen = await gets(store)
  expect(Object.keys(seen)).toHaveLength(600)
  for (const seqs of Object.values(seen)) expect(seqs).toEqual([1, 2, 3])
})
