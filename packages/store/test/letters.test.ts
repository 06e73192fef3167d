/** Dead letters and conflicts, and what is done about them. */
import { parsePattern } from '@sekali/core/pattern'
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readAudit } from '../src/audit/read.ts'
import { findLetter, listLetters, readConflict, readFields } from '../src/operations/letters.ts'
import { discardLetter, publishConflictAs } from '../src/operations/settle.ts'
import type { Store } from '../src/postgres/connect.ts'

const by = { actor: 'tester', client: '192.0.2.1' }
const all = { within: [parsePattern('>')], after: {}, limit: 100 }
const nothing = async () => undefined

const listed = async (store: Store, page: object = {}) =>
  (await listLetters(store, { ...all, ...page })).map(({ kind, number }) => `${kind[0]}-${number}`)

test('both kinds are one list, newest first, whose pages lead to each other', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a')
  await makeConflict(store, 'b', { topic: 'orders.eu' })
  await makeDead(store, null)
  await makeConflict(store, 'c')
  expect(await listed(store)).toEqual(['c-2', 'e-2', 'c-1', 'e-1'])
  expect(await listed(store, { limit: 2 })).toEqual(['c-2', 'e-2'])
  expect(await listed(store, { limit: 2, after: { conflict: 2, entry: 2 } })).toEqual(['c-1', 'e-1'])
  expect(await listed(store, { kind: 'entry' })).toEqual(['e-2', 'e-1'])
  expect(await listed(store, { kind: 'conflict', limit: 1 })).toEqual(['c-2'])
  expect(await listed(store, { reason: '23514' })).toEqual(['e-1'])
  expect(await listed(store, { reason: 'conflict' })).toEqual(['c-2', 'c-1'])
  expect(await listed(store, { topic: parsePattern('orders.*') })).toEqual(['c-1'])
  expect(await listed(store, { within: [parsePattern('orders'), parsePattern('users')] })).toEqual([
    'c-2',
    'e-2',
    'e-1',
  ])
  expect(await listed(store, { from: '2025-12-08T10:00:00.000001Z' })).toEqual(['c-2', 'c-1'])
  expect(await listed(store, { to: '2025-12-08T10:00:00.000001Z' })).toEqual(['e-2', 'e-1'])
})

test('a letter has its content, and a conflict both, as they were sent', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a', { payload: '{"n":9007199254740993}' })
  await makeConflict(store, 'b', { stored: '{"n":12.50}', received: '{ "n": 12.5 }' })
  expect(await findLetter(store, { kind: 'entry', number: 1 })).toMatchObject({
    topic: 'orders',
    eventId: 'a',
    reason: '23514',
    seq: null,
    isKept: true,
    settled: undefined,
  })
  expect(JSON.parse((await readFields(store, 1)) ?? '')[1]).toMatch(/^a\0.*\0{"n":9007199254740993}$/)
  expect(await findLetter(store, { kind: 'conflict', number: 1 })).toMatchObject({
    reason: 'conflict',
    seq: 1,
    entryId: null,
  })
  expect(await readConflict(store, 1)).toMatchObject({
    received: { source: 'other', payload: '{ "n": 12.5 }' },
    stored: { source: 'shop', payload: '{"n":12.50}' },
  })
  expect(await findLetter(store, { kind: 'conflict', number: 2 })).toBeUndefined()
})

test('a discarded letter is not open any more, is discarded once, and the audit log says why', async () => {
  await using store = await ownStore()
  await makeDead(store, 'a')
  await makeConflict(store, 'b')
  for (const kind of ['entry', 'conflict'] as const) {
    const discarding = () => discardLetter(store, { kind, number: 1 }, 'a test', by)
    const outcomes = await Promise.all([discarding(), discarding()])
    expect(outcomes.sort()).toEqual(['discarded', 'settled'])
    expect(await discardLetter(store, { kind, number: 9 }, 'a test', by)).toBe('unknown')
    expect(await findLetter(store, { kind, number: 1 })).toMatchObject({
      settled: { became: 'discarded', by: 'tester', reason: 'a test' },
    })
  }
  expect(await listed(store)).toEqual([])
  expect(await listed(store, { state: 'discarded' })).toEqual(['c-1', 'e-1'])
  expect(await listed(store, { state: 'all' })).toEqual(['c-1', 'e-1'])
  const entries = await readAudit(store, { after: 0, limit: 10 })
  expect(entries.map(({ action, target }) => `${action} ${target}`)).toEqual([
    'letter_discarded e-1',
    'letter_discarded c-1',
  ])
  expect(entries[0]).toMatchObject({ ...by, details: { reason: 'a test' } })
  const { rows } = await store.pool.query('SELECT dead, conflicts FROM topics')
  expect(rows).toEqual([{ dead: '1', conflicts: '1' }])
})

test('a conflict is published under one other id, by whoever is first, and stays open if it cannot be', async () => {
  await using store = await ownStore()
  await makeConflict(store, 'b')
  const failed = publishConflictAs(store, 1, 'b2', () => Promise.reject(new Error('away')), by)
  await expect(failed).rejects.toThrow()
  expect(await listed(store)).toEqual(['c-1'])
  const published: string[] = []
  const outcomes = await Promise.all(
    ['b2', 'b3'].map((id) => publishConflictAs(store, 1, id, async () => void published.push(id), by)),
  )
  expect(outcomes.sort()).toEqual(['published_as', 'settled'])
  expect(published).toHaveLength(1)
  expect(await findLetter(store, { kind: 'conflict', number: 1 })).toMatchObject({
    settled: { became: 'published_as', eventId: published[0] },
  })
  expect(await publishConflictAs(store, 9, 'x', nothing, by)).toBe('unknown')
  expect(await readAudit(store, { limit: 10 })).toMatchObject([
    { action: 'letter_published_as', target: 'c-1' },
  ])
})
