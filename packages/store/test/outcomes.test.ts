/** What is said of an entry afterwards, when all that is left is the row of its event. */
import { type Position, timeOf } from '@sekali/core/position'
import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { digestOf, readOutcomes } from '../src/read/outcomes.ts'
import { commit } from './commit.ts'

test('an entry that left no trace is a duplicate only of what came before it with the same payload', async () => {
  await using store = await ownStore()
  const stored = event({ eventId: 'a', payload: '{"n":1}' })
  const at = 1_700_000_000_000
  await commit(store, [{ event: stored, receivedAt: timeOf(`${at}-5` as Position) }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9`])
  const outcome = async (number: number, payload: string, timestamp = stored.timestamp) => {
    const position = `${at}-${number}` as Position
    const sent = { ...stored, timestamp, position, digest: digestOf(payload) }
    return (await readOutcomes(store, [sent]))[0]
  }
  expect(await outcome(5, '{"n":1}')).toEqual({ status: 'stored', seq: 1 })
  expect(await outcome(6, '{"n":1}')).toEqual({ status: 'duplicate', seq: 1 })
  expect(await outcome(6, '{"n":1}', '2025-12-08T10:00:00.000001Z')).toEqual({
    status: 'duplicate',
    seq: 1,
    differs: ['timestamp'],
  })
  expect(await outcome(6, '{"n":2}')).toEqual({ status: 'lost' })
  expect(await outcome(4, '{"n":1}')).toEqual({ status: 'lost' })
  expect(await outcome(10, '{"n":1}')).toEqual({ status: 'queued' })
})

test('what a version before stored beyond the 999th of a millisecond was there before all that comes now', async () => {
  await using store = await ownStore()
  const stored = event({ eventId: 'a', payload: '{"n":1}' })
  const at = 1_700_000_000_000
  await commit(store, [{ event: stored, receivedAt: timeOf(`${at}-1500` as Position) }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9000`])
  const outcome = async (payload: string) => {
    const position = `${at}-2000` as Position
    const sent = { ...stored, position, digest: digestOf(payload) }
    return (await readOutcomes(store, [sent]))[0]
  }
  expect(await outcome('{"n":1}')).toEqual({ status: 'duplicate', seq: 1 })
  expect(await outcome('{"n":2}')).toEqual({ status: 'lost' })
})

test('beyond the 999th of a millisecond, too, an entry is a duplicate only of what came before it', async () => {
  await using store = await ownStore()
  const stored = event({ eventId: 'a', payload: '{"n":1}' })
  const at = 1_700_000_000_000
  const position = `${at}-1500` as Position
  await commit(store, [{ event: stored, receivedAt: timeOf(position), position }])
  await store.pool.query("UPDATE topics SET position = $1 WHERE name = 'orders'", [`${at}-9000`])
  const outcome = async (number: number) => {
    const sent = { ...stored, digest: digestOf(stored.payload) }
    return (await readOutcomes(store, [{ ...sent, position: `${at}-${number}` as Position }]))[0]
  }
  expect(await outcome(999)).toEqual({ status: 'lost' })
  expect(await outcome(1_499)).toEqual({ status: 'lost' })
  expect(await outcome(1_500)).toEqual({ status: 'stored', seq: 1 })
  expect(await outcome(1_501)).toEqual({ status: 'duplicate', seq: 1 })
})

test('an ordinary entry costs no row of ids', async () => {
  await using store = await ownStore()
  const of = (number: number) => {
    const position = `1700000000000-${number}` as Position
    return { event: event({ eventId: `e${number}` }), receivedAt: timeOf(position), position }
  }
  await commit(store, [of(0), of(998), of(999), of(1_000)])
  const { rows } = await store.pool.query('SELECT entry_id FROM entry_ids ORDER BY seq')
  expect(rows.map((row) => row.entry_id)).toEqual(['1700000000000-999', '1700000000000-1000'])
})
