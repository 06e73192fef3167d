/** Where subscriptions begin, are put to, and go on when topics come, go and fork. */
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readAudit } from '../src/audit/read.ts'
import type { Store } from '../src/postgres/connect.ts'
import { seekSubscription } from '../src/subscriptions/control.ts'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import { readSubscriptions } from '../src/subscriptions/read.ts'
import type { From } from '../src/subscriptions/types.ts'
import {
  add,
  all,
  by,
  configOf,
  floorOf,
  get,
  gets,
  runOut,
  say,
  seqsOf,
  statusOf,
  subscribed,
  tokensOf,
  upTo,
} from './subscriptions.ts'

const seek = (store: Store, from: From, dryRun = false) =>
  seekSubscription(store, { name: 'mailer', topics: 'orders', from, dryRun }, by)

test('a subscription begins where it is told to, and in later topics with their first event', async () => {
  await using store = await ownStore()
  await add(store, 'orders', 3)
  const { rows } = await store.pool.query<{ now: string }>(
    `SELECT to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`,
  )
  await add(store, 'orders', 3)
  const made: Record<string, From> = {
    start: 'start',
    now: 'now',
    time: { time: rows[0]?.now ?? '' },
    early: { time: '2020-01-01T00:00:00.000000Z' },
    late: { time: '2999-01-01T00:00:00.000000Z' },
    place: { after: { epoch: 1, seq: 5 } },
    name: { after: new Map([['orders', { epoch: 1, seq: 5 }]]) },
    id: { after: new Map([[1, { epoch: 1, seq: 5 }]]) },
  }
  for (const [name, from] of Object.entries(made)) {
    expect(await putSubscription(store, configOf({ name, from }), by)).toMatchObject({ outcome: 'created' })
  }
  const first = Object.fromEntries(
    await Promise.all(
      Object.keys(made).map(async (name) => [name, seqsOf(await get(store, 9, { name }))[0]] as const),
    ),
  )
  expect(first).toEqual({
    start: 1,
    now: undefined,
    time: 4,
    early: 1,
    late: undefined,
    place: 6,
    name: 6,
    id: 6,
  })
  await putSubscription(store, configOf({ ...all, from: 'now' }), by)
  await add(store, 'users', 2)
  await add(store, 'orders', 1)
  expect(await gets(store)).toEqual({ users: [1, 2], orders: [7] })
  expect((await readSubscriptions(store, { after: 'late', limit: 3 })).map(({ name }) => name)).toEqual([
    'mailer',
    'name',
    'now',
  ])
})

test('a place in what is not there is refused, and nothing is made', async () => {
  await using store = await subscribed(3)
  const bad: From[] = [
    { after: new Map([['users', { epoch: 1, seq: 1 }]]) },
    { after: new Map([[77, { epoch: 1, seq: 1 }]]) },
    { after: { epoch: 2, seq: 1 } },
  ]
  for (const from of bad) {
    expect(await putSubscription(store, configOf({ name: 'bad', from }), by)).toEqual({
      outcome: 'cursor_ahead',
    })
    expect(await seek(store, from)).toBe('cursor_ahead')
  }
  expect(await readSubscriptions(store)).toHaveLength(1)
})

test('a subscription is made once, changes in its settings alone, and the audit log says so', async () => {
  await using store = await ownStore()
  await add(store, 'orders', 3)
  const filter = { sources: ['b', 'a'], payload: { '/b': [1], '/a': ['x'] } }
  const outcomes = await Promise.all(
    upTo(4).map(() => putSubscription(store, configOf({ filter, from: 'now' }), by)),
  )
  expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['created', 'same', 'same', 'same'])
  const turned = { payload: { '/a': ['x'], '/b': [1] }, sources: ['a', 'b'] }
  expect(await putSubscription(store, configOf({ filter: turned }), by)).toMatchObject({ outcome: 'same' })
  for (const [field, change] of [
    ['topics', all],
    ['order', { order: 'topic' }],
    ['filter', { filter: {} }],
    ['source_batch', { sourceBatch: 2 }],
  ] as const) {
    const outcome = await putSubscription(store, configOf({ filter, ...change, leaseSeconds: 99 }), by)
    expect(outcome).toMatchObject({ outcome: 'immutable', field, subscription: { leaseSeconds: 30 } })
  }
  const changed = await putSubscription(
    store,
    configOf({ filter, leaseSeconds: 7, backoffSeconds: [1, 5], onExhausted: 'block' }),
    by,
  )
  expect(changed).toMatchObject({
    outcome: 'changed',
    subscription: {
      leaseSeconds: 7,
      backoffSeconds: [1, 5],
      onExhausted: 'block',
      generation: 1,
      createdBy: 'tester',
    },
  })
  expect(await readAudit(store, { after: 0, limit: 9 })).toMatchObject([
    { action: 'subscription_created', target: 'mailer', ...by, details: { topics: 'orders' } },
    { action: 'subscription_changed', target: 'mailer', details: { lease_s: 7, backoff_s: [1, 5] } },
  ])
})

test('a seek is exact, and whoever had events has lost them', async () => {
  await using store = await subscribed(10)
  const [old, other] = [await get(store, 4), await get(store, 2)]
  await say(store, 'ack', tokensOf(old).slice(0, 2))
  await say(store, 'nak', tokensOf(old).slice(2, 3), { delaySeconds: 60 })
  const place = { after: { epoch: 1, seq: 7 } }
  expect(await seek(store, place, true)).toEqual({ outcome: 'would_move', lost: 4, again: 0, skipped: 5 })
  expect(await floorOf(store)).toBe(2)
  expect(await seek(store, place)).toEqual({ outcome: 'moved', lost: 4, again: 0, skipped: 5 })
  expect(await floorOf(store)).toBe(7)
  expect(await statusOf(store)).toMatchObject({ generation: 2, outstanding: 0, retrying: 0, lag: 3 })
  const tokens = [...tokensOf(old), ...tokensOf(other), old.grant, other.grant]
  expect(new Set(await say(store, 'ack', tokens))).toEqual(new Set(['lease_lost']))
  expect(seqsOf(await get(store, 9))).toEqual([8, 9, 10])
  expect(await seek(store, 'start')).toEqual({ outcome: 'moved', lost: 3, again: 10, skipped: 0 })
  expect([await floorOf(store), seqsOf(await get(store, 99))]).toEqual([0, upTo(10)])
  expect(await seekSubscription(store, { name: 'none', topics: 'x', from: 'now', dryRun: false }, by)).toBe(
    'unknown',
  )
  const actions = (await readAudit(store, { after: 0, limit: 9 })).map(({ action }) => action)
  expect(actions).toEqual(['subscription_created', 'subscription_moved', 'subscription_moved'])
})

test('a restore takes a subscription back to the fork, and what was handed out beyond it is lost', async () => {
  await using store = await subscribed(10, { order: 'source' }, { source: `'s' || n` })
  await say(store, 'ack', tokensOf(await get(store, 3)))
  const held = await get(store, 5)
  await putBack(store, 'orders', 6)
  await beginEpoch(store, 'orders')
  await add(store, 'orders', 3, { source: `'t' || n`, payload: `'"new"'` })
  const below = await get(store, 9)
  const again = below.items.length > 0 ? below : await get(store, 9)
  expect(again.items.map(({ event: { seq, epoch, payload } }) => [seq, epoch, payload])).toEqual([
    [7, 2, '"new"'],
    [8, 2, '"new"'],
    [9, 2, '"new"'],
  ])
  const late = tokensOf(held)
  expect(await say(store, 'ack', late)).toEqual(['done', 'done', 'done', 'lease_lost', 'lease_lost'])
  expect(await floorOf(store)).toBe(6)
  expect(await say(store, 'ack', [again.grant])).toEqual(['done'])
  expect(await floorOf(store)).toBe(9)
  const ofBefore = await seek(store, { after: { epoch: 1, seq: 8 } })
  expect([ofBefore, await floorOf(store)]).toMatchObject([{ outcome: 'moved' }, 6])
})

test('rows of the log that somebody has deleted are passed over, at the end of the log too', async () => {
  await using store = await subscribed(10)
  const { grant } = await get(store, 4)
  await store.pool.query('DELETE FROM events WHERE seq IN (2, 3, 6, 9, 10)')
  await runOut(store)
  const again = await get(store, 99)
  expect(seqsOf(again)).toEqual([1, 4, 5, 7, 8])
  expect(await say(store, 'ack', [grant])).toEqual(['lease_lost'])
  expect(await say(store, 'ack', tokensOf(again))).toEqual(Array(5).fill('done'))
  expect(await floorOf(store)).toBe(8)
  await lookAtSubscriptions(store)
  expect(await statusOf(store)).toMatchObject({ lag: 0, outstanding: 0 })
  await add(store, 'orders', 2)
  expect(seqsOf(await get(store, 9)).length).toBeGreaterThan(0)
})
