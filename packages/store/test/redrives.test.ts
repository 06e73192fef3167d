/** Redrives: what is appended once more, how often, and by whom. */
import { parsePattern } from '@sekali/core/pattern'
import { eventually } from '@sekali/testkit/eventually'
import { makeDead } from '@sekali/testkit/letters'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { createKey, revokeKey } from '../src/access/change-keys.ts'
import type { By } from '../src/audit/append.ts'
import { readAudit } from '../src/audit/read.ts'
import {
  claimOperation,
  finishOperation,
  readRedrivable,
  redriveStep,
  releaseLease,
  renewLease,
  type Stepped,
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
async function claimed(store: Store, filter: object = {}, who: By = by): Promise<Operation> {
  const { matched, asOf } = await countRedrivable(store, filter)
  const started = await startRedrive(store, { filter, asOf, expect: matched, rate: 50 }, who)
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
  expect(await redriveStep(store, leaseOf(operation), step, append)).toBe('ours')
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
  let second: Promise<Stepped> | undefined
  const first = await redriveStep(store, leaseOf(one), step, async () => {
    appended.push('one')
    second = redriveStep(store, leaseOf(two, 'two'), step, async () => void appended.push('two'))
    await eventually(async () => {
      const waiting = await store.pool.query('SELECT FROM pg_locks WHERE NOT granted')
      expect(waiting.rowCount).toBe(1)
    }, 4_000)
  })
  expect([first, await second]).toEqual(['ours', 'ours'])
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
  expect(await redriveStep(store, leaseOf(operation), step, unwanted)).toBe('lost')
  await finishOperation(store, leaseOf(operation))
  expect(await findOperation(store, operation.id)).toMatchObject({ state: 'running' })
  expect(await cancelOperation(store, operation.id, by)).toBe('cancelled')
  expect(await cancelOperation(store, operation.id, by)).toBe('cancelled')
  expect(await redriveStep(store, leaseOf(operation, 'two'), step, unwanted)).toBe('lost')
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

test('a redrive stops at its next step once the key that began it was revoked or has expired', async () => {
  await using store = await ownStore()
  for (const id of ['a', 'b']) await makeDead(store, id)
  const unwanted = () => Promise.reject(new Error('it was appended'))
  const endings = [
    async (id: string) => void (await revokeKey(store, id, by)),
    async (id: string) =>
      void (await store.pool.query('UPDATE access.keys SET expires_at = now() WHERE id = $1', [id])),
  ]
  for (const end of endings) {
    const made = await createKey(store, { name: 'k', scopes: ['admin'], topics: [parsePattern('>')] }, by)
    if (typeof made === 'string') throw new Error(made)
    const { id } = made.key
    const operation = await claimed(store, {}, { actor: id })
    const lease = leaseOf(operation)
    const none = { checkpoint: 0, letters: [], skipped: {} }
    expect(await redriveStep(store, lease, none, unwanted)).toBe('ours')
    await end(id)
    const step = { checkpoint: 1, letters: [1], skipped: {} }
    expect(await redriveStep(store, lease, step, unwanted)).toBe('actor_ended')
    await finishOperation(store, lease, 'because')
    expect(await findOperation(store, operation.id)).toMatchObject({
      state: 'failed',
      error: 'because',
      done: 0,
    })
    const again = { filter: {}, asOf: 2, expect: 2, rate: 5 }
    expect(await startRedrive(store, again, { actor: id })).toMatchObject({ outcome: 'actor_ended' })
  }
  expect(await listed(store)).toEqual(['e-2', 'e-1'])
})

test('a token that began a redrive bounds it by its own end', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a')
  const inAnHour = { actor: 'jwt:ada', until: new Date(Date.now() + 3_600_000) }
  const operation = await claimed(store, {}, inAnHour)
  const step = { checkpoint: 0, letters: [], skipped: {} }
  const append = async () => undefined
  expect(await redriveStep(store, leaseOf(operation), step, append)).toBe('ours')
  await store.pool.query('UPDATE operations.operations SET actor_until = now()')
  expect(await redriveStep(store, leaseOf(operation), step, append)).toBe('actor_ended')
  const past = { actor: 'jwt:ada', until: new Date(Date.now() - 1_000) }
  const again = { filter: {}, asOf: 1, expect: 1, rate: 5 }
  expect(await startRedrive(store, again, past)).toMatchObject({ outcome: 'actor_ended' })
})

test('a process of the previous version begins redrives as before', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a')
  const { rows } = await store.pool.query(
    `SELECT * FROM operations.start_redrive('{}', '.', 1, 1, 5, 'tester', NULL)`,
  )
  expect(rows).toEqual([{ outcome: 'started', id: '1', matched: '1' }])
})
