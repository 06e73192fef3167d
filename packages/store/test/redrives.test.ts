/** Redrives: what is appended once more, how often, and by whom. */
import { parsePattern } from '@sekali/core/pattern'
import { eventually } from '@sekali/testkit/eventually'
import { makeDead } from '@sekali/testkit/letters'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readAudit } from '../src/audit/read.ts'
import {
  claimOperation,
  finishOperation,
  readRedrivable,
  redriveStep,
  releaseLease,
  renewLease,
} from '../src/operations/lease.ts'
import { findLetter, listLetters } from '../src/operations/letters.ts'
import {
  cancelOperation,
  findOperation,
  isOneLeft,
  listOperations,
  type Operation,
} from '../src/operations/operations.ts'
import { countRedrivable, startRedrive } from '../src/operations/redrive.ts'
import { discardLetter } from '../src/operations/settle.ts'
import type { Store } from '../src/postgres/connect.ts'

const by = { actor: 'tester', client: '192.0.2.1' }
const all = { within: [parsePattern('>')], after: {}, limit: 100 }

const listed = async (store: Store, page: object = {}) =>
  (await listLetters(store, { ...all, ...page })).map(({ kind, number }) => `${kind[0]}-${number}`)

/** A redrive of all that is open, begun and claimed. */
async function claimed(store: Store, filter: object = {}): Promise<Operation> {
  const { matched, asOf } = await countRedrivable(store, filter)
  const started = await startRedrive(store, { filter, asOf, expect: matched, rate: 50 }, by)
  if (started.outcome !== 'started') throw new Error(started.outcome)
  const operation = await claimOperation(store, 'one')
  if (operation?.id !== started.id) throw new Error('another operation')
  return operation
}

const leaseOf = ({ id }: Operation, holder = 'one') => ({ operation: id, holder })

test('a redrive begins if as many match as were counted, and stubs do not', async () => {
  await using store = await ownStore()
  expect(await countRedrivable(store, {})).toEqual({ matched: 0, byReason: {}, asOf: 0 })
  await makeDead(store, 'a')
  await makeDead(store, null)
  await makeDead(store, 'b', { topic: 'users' })
  await makeDead(store, 'c')
  await store.pool.query('UPDATE dead_letters SET fields = NULL WHERE id = 4')
  expect(await countRedrivable(store, {})).toEqual({
    matched: 3,
    byReason: { 23514: 2, malformed_entry: 1 },
    asOf: 4,
  })
  expect(await countRedrivable(store, { topic: 'orders', reason: '23514' })).toMatchObject({ matched: 1 })
  expect(await countRedrivable(store, { id: 3 })).toMatchObject({ matched: 1, byReason: { 23514: 1 } })
  await makeDead(store, 'd')
  const start = (asOf: number, expected: number) =>
    startRedrive(store, { filter: {}, asOf, expect: expected, rate: 5 }, by)
  expect(await start(5, 3)).toEqual({ outcome: 'count_changed', matched: 4 })
  expect(await listOperations(store, { limit: 10 })).toEqual([])
  expect(await start(4, 3)).toEqual({ outcome: 'started', id: 1 })
  expect(await findOperation(store, 1)).toMatchObject({
    state: 'running',
    asOf: 4,
    matched: 3,
    done: 0,
    rate: 5,
  })
  // Later than there are letters is as late as there are any: those to come are not in it.
  expect(await start(1_000, 4)).toEqual({ outcome: 'started', id: 2 })
  expect(await findOperation(store, 2)).toMatchObject({ asOf: 5 })
  for (let n = 3; n <= 16; n++) await start(4, 3)
  expect(await start(4, 3)).toEqual({ outcome: 'too_many' })
  expect((await listOperations(store, { limit: 3, before: 9 })).map(({ id }) => id)).toEqual([8, 7, 6])
})

test('a step marks what it appends in one transaction, and goes on behind it', async () => {
  await using store = await ownStore()
  for (const id of ['a', 'b', 'c']) await makeDead(store, id)
  const operation = await claimed(store)
  await makeDead(store, 'late')
  const letters = await readRedrivable(store, operation, 0, 2)
  expect(letters.map(({ number, topic }) => [number, topic])).toEqual([
    [1, 'orders'],
    [2, 'orders'],
  ])
  await discardLetter(store, { kind: 'entry', number: 2 }, 'a test', by)
  const step = { checkpoint: 2, letters: [1, 2], skipped: { not_an_event: 1 } }
  const failing = () => Promise.reject(new Error('away'))
  await expect(redriveStep(store, leaseOf(operation), step, failing)).rejects.toThrow()
  expect(await findOperation(store, operation.id)).toMatchObject({ checkpoint: 0, done: 0 })
  expect(await listed(store)).toEqual(['e-4', 'e-3', 'e-1'])
  const appended: number[] = []
  const append = async (taken: ReadonlySet<number>) => void appended.push(...taken)
  expect(await redriveStep(store, leaseOf(operation), step, append)).toBe(true)
  expect(appended).toEqual([1])
  expect(await findOperation(store, operation.id)).toMatchObject({
    checkpoint: 2,
    done: 3,
    outcomes: { redriven: 1, settled_by_others: 1, not_an_event: 1 },
  })
  expect(await readRedrivable(store, operation, 2, 10)).toMatchObject([{ number: 3 }])
  await finishOperation(store, leaseOf(operation))
  expect(await findOperation(store, operation.id)).toMatchObject({
    state: 'done',
    finishedAt: expect.any(String),
  })
  expect(await readAudit(store, { limit: 1 })).toMatchObject([
    { ...by, action: 'redrive_done', target: '1', details: { done: 3 } },
  ])
  expect(await findLetter(store, { kind: 'entry', number: 1 })).toMatchObject({
    settled: { became: 'redriven', by: 'tester', operation: 1 },
  })
})

test('two redrives of one letter: the second waits for the first, and appends nothing', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a')
  const one = await claimed(store)
  await startRedrive(store, { filter: {}, asOf: 1, expect: 1, rate: 50 }, by)
  const two = (await claimOperation(store, 'two')) as Operation
  const appended: string[] = []
  const step = { checkpoint: 1, letters: [1], skipped: {} }
  let second: Promise<boolean> | undefined
  const first = await redriveStep(store, leaseOf(one), step, async () => {
    appended.push('one')
    second = redriveStep(store, leaseOf(two, 'two'), step, async () => void appended.push('two'))
    await eventually(async () => {
      const waiting = await store.pool.query('SELECT FROM pg_locks WHERE NOT granted')
      expect(waiting.rowCount).toBe(1)
    }, 4_000)
  })
  expect([first, await second]).toEqual([true, true])
  expect(appended).toEqual(['one'])
  expect(await findOperation(store, two.id)).toMatchObject({ outcomes: { settled_by_others: 1 } })
})

test('a lease has one holder, runs out, and is worth nothing after that or after a cancellation', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a')
  const operation = await claimed(store)
  expect(await isOneLeft(store)).toBe(false)
  expect(await claimOperation(store, 'two')).toBeUndefined()
  expect(await renewLease(store, leaseOf(operation))).toBe(true)
  await releaseLease(store, leaseOf(operation, 'two'))
  expect(await isOneLeft(store)).toBe(false)
  await store.pool.query('UPDATE operations.operations SET lease_until = now()')
  expect(await isOneLeft(store)).toBe(true)
  expect(await claimOperation(store, 'two')).toMatchObject({ id: operation.id })
  const step = { checkpoint: 1, letters: [1], skipped: {} }
  const unwanted = () => Promise.reject(new Error('it was appended'))
  expect(await redriveStep(store, leaseOf(operation), step, unwanted)).toBe(false)
  await finishOperation(store, leaseOf(operation))
  expect(await findOperation(store, operation.id)).toMatchObject({ state: 'running' })
  expect(await cancelOperation(store, operation.id, by)).toBe('cancelled')
  expect(await cancelOperation(store, operation.id, by)).toBe('cancelled')
  expect(await redriveStep(store, leaseOf(operation, 'two'), step, unwanted)).toBe(false)
  expect(await cancelOperation(store, 9, by)).toBe('unknown')
  expect(await listed(store)).toEqual(['e-1'])
  const entries = await readAudit(store, { after: 0, limit: 10 })
  expect(entries.map(({ action }) => action)).toEqual(['redrive_started', 'redrive_cancelled'])
})

test('letters are read up to some bytes at a time, and a large one alone', async () => {
  await using store = await ownStore()
  const payload = JSON.stringify({ text: 'x'.repeat(1_100_000) })
  for (const id of ['a', 'b', 'c']) await makeDead(store, id, { payload })
  const operation = await claimed(store)
  expect((await readRedrivable(store, operation, 0, 10)).map(({ number }) => number)).toEqual([1, 2])
})
