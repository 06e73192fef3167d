/** Two ids with one key, which chance does not bring about: so the key of one is written by hand. */
import { BrokerUnavailable } from '@sekali/core/errors'
import type { Position } from '@sekali/core/position'
import { ownStore } from '@sekali/testkit/own'
import { at } from '@sekali/testkit/sample'
import { accountFor, withTurn } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { findEvent } from '../src/read/outcomes.ts'
import { readTopic } from '../src/read/topic.ts'
import { commitBisecting } from '../src/turn/bisect.ts'
import { commit, counted, orders, received } from './commit.ts'

const collide = `UPDATE events SET event_key = event_key(topic_id, 'b') WHERE event_id = 'a'`

const entries = (...ids: string[]) =>
  received(...ids).map((item, index) => ({
    ...item,
    position: `${index + 1}-0` as Position,
    fields: ['e', 'b'],
  }))

test('an id that has the key of another one is no repeat of it: it becomes a dead letter, and its neighbours are stored [P4]', async () => {
  await using store = await ownStore()
  await commit(store, received('a'))
  await store.pool.query(collide)
  await expect(commit(store, received('b', 'c'))).rejects.toMatchObject({
    code: 'key_collision',
    retryable: false,
  })
  const outcome = await withTurn(store, [orders], async (tx, turn) => {
    const outcome = await commitBisecting(tx, turn, entries('x', 'b', 'c', 'y'))
    accountFor(tx, turn, outcome)
    return { ...counted(outcome), dead: outcome.dead }
  })
  expect(outcome).toEqual({ stored: 3, duplicates: 0, conflicts: 0, dead: 1 })
  const { events } = await readTopic(store, { topic: orders, after: at(0), limit: 10 })
  expect(events.map(({ eventId }) => eventId)).toEqual(['a', 'x', 'c', 'y'])
  const { rows } = await store.pool.query('SELECT event_id, reason FROM dead_letters')
  expect(rows).toEqual([{ event_id: 'b', reason: 'key_collision' }])
})

test('who asks for an id does not get the event whose key it has', async () => {
  await using store = await ownStore()
  await commit(store, received('a'))
  await store.pool.query(collide)
  const [b] = received('b')
  expect((await findEvent(store, orders, b?.event.eventId as never)).event).toBeUndefined()
})

test('also where nothing known was expected', async () => {
  await using store = await ownStore()
  await commit(store, received(...Array.from({ length: 100 }, (_, index) => `n${index}`), 'a'))
  await store.pool.query(collide)
  await expect(commit(store, received('b'))).rejects.toMatchObject({ code: 'key_collision' })
  const nothing = withTurn(store, [orders], async (tx, turn) => {
    const outcome = await commitBisecting(tx, turn, entries('b'))
    expect(outcome).toMatchObject({ stored: 0, dead: 1 })
    throw new BrokerUnavailable('give up')
  })
  await expect(nothing).rejects.toThrow('give up')
})
