/** What is given up: pointers to events, which somebody redrives or discards. */
import { parsePattern } from '@sekali/core/pattern'
import { expect, test } from 'vitest'
import { readAudit } from '../src/audit/read.ts'
import type { Store } from '../src/postgres/connect.ts'
import { type DeadFilter, discardDead, findDead, listDead, redriveDead } from '../src/subscriptions/dead.ts'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import {
  attemptsOf,
  by,
  configOf,
  floorOf,
  get,
  runOut,
  say,
  seqsOf,
  statusOf,
  subscribed,
  tokensOf,
} from './subscriptions.ts'

const within = [parsePattern('>')]
const listed = async (store: Store, filter: DeadFilter & { before?: number; limit?: number } = {}) =>
  (await listDead(store, { within, limit: 100, ...filter })).map(({ id, seq }) => [id, seq])

test('what was delivered as often as it may is dead, whether it was given back or its lease ran out', async () => {
  await using store = await subscribed(3, { deliveriesMax: 2 })
  await say(store, 'nak', [(await get(store, 3)).grant])
  const second = await get(store, 3)
  expect(attemptsOf(second)).toEqual([2, 2, 2])
  const [one, two] = tokensOf(second)
  await say(store, 'nak', [one], { reason: 'the mail server refuses it' })
  await say(store, 'nak', [two])
  await runOut(store)
  expect(seqsOf(await get(store, 9))).toEqual([])
  expect(await floorOf(store)).toBe(3)
  expect(await statusOf(store)).toMatchObject({ dead: 3, lag: 0, outstanding: 0, blocked: [] })
  const letters = await listDead(store, { within, limit: 9 })
  expect(letters.map(({ seq, reason, attempts }) => [seq, reason, attempts])).toEqual([
    [3, 'exhausted', 2],
    [2, 'exhausted', 2],
    [1, 'exhausted: the mail server refuses it', 2],
  ])
  expect(letters[0]).toMatchObject({
    ...{
      id: 3,
      subscription: 'mailer',
      topic: 'orders',
      epoch: 1,
      eventId: 'e3',
      source: 'shop',
      state: 'open',
    },
    settledBy: null,
  })
})

test('the list has pages and filters', async () => {
  await using store = await subscribed(4)
  const [one, ...others] = tokensOf(await get(store, 4))
  await say(store, 'term', [one], { reason: 'poison' })
  await say(store, 'term', others)
  expect(await listed(store, { reason: 'poison' })).toEqual([[1, 1]])
  expect(await listed(store, { reason: 'terminated', limit: 1, before: 4 })).toEqual([[3, 3]])
  expect(await listed(store, { subscription: 'none' })).toEqual([])
  expect(await listed(store, { topic: parsePattern('users') })).toEqual([])
  expect(await listDead(store, { within: [parsePattern('users')], limit: 9 })).toEqual([])
  expect(await listed(store, { from: '2999-01-01T00:00:00Z' })).toEqual([])
  expect(await listed(store, { to: '2999-01-01T00:00:00Z', limit: 2 })).toEqual([
    [4, 4],
    [3, 3],
  ])
  expect(await discardDead(store, 2, 'a test', by)).toBe('discarded')
  expect(await listed(store)).toEqual([
    [4, 4],
    [3, 3],
    [1, 1],
  ])
  expect(await listed(store, { state: 'discarded' })).toEqual([[2, 2]])
  expect(await listed(store, { state: 'all' })).toHaveLength(4)
  expect(await findDead(store, 9)).toBeUndefined()
})

test('a redrive far below the floor delivers once more and leaves the floor', async () => {
  await using store = await subscribed(2_000, { deliveriesMax: 2, outstandingMax: 10_000 })
  const first = await get(store, 3)
  await say(store, 'term', tokensOf(first).slice(2))
  await say(store, 'ack', [first.grant])
  for (;;) {
    const { grant } = await get(store, 1_000)
    if (grant === null) break
    await say(store, 'ack', [grant])
  }
  expect(await floorOf(store)).toBe(2_000)
  expect(await Promise.all([redriveDead(store, 1, by), redriveDead(store, 1, by)])).toEqual(
    expect.arrayContaining(['redriven', 'settled']),
  )
  expect([await floorOf(store), (await statusOf(store)).retrying]).toEqual([2_000, 1])
  const again = await get(store, 9)
  expect([seqsOf(again), attemptsOf(again), await floorOf(store)]).toEqual([[3], [1], 2_000])
  await say(store, 'nak', [again.grant])
  const last = await get(store, 9)
  expect([seqsOf(last), attemptsOf(last)]).toEqual([[3], [2]])
  await say(store, 'nak', [last.grant])
  expect(await listed(store)).toEqual([[2, 3]])
  expect(await redriveDead(store, 2, by)).toBe('redriven')
  expect(await say(store, 'ack', [(await get(store, 9)).grant])).toEqual(['done'])
  expect([await floorOf(store), (await statusOf(store)).outstanding]).toEqual([2_000, 0])
  expect(await findDead(store, 1)).toMatchObject({ state: 'redriven', settledBy: 'tester' })
  const audit = await readAudit(store, { after: 1, limit: 9 })
  expect(audit.map(({ action, target }) => `${action} ${target}`)).toEqual([
    'letter_redriven d-1',
    'letter_redriven d-2',
  ])
})

test('what is gone is not redriven', async () => {
  await using store = await subscribed(2)
  await say(store, 'term', [(await get(store, 1)).grant])
  await store.pool.query('DELETE FROM events WHERE seq = 1')
  expect(await redriveDead(store, 1, by)).toBe('gone')
  expect(await discardDead(store, 1, 'gone', by)).toBe('discarded')
  expect(await discardDead(store, 1, 'gone', by)).toBe('settled')
  expect(await redriveDead(store, 7, by)).toBe('unknown')
})

test('a lower bound of deliveries holds at once, and leases that run out meet it without a pull', async () => {
  await using store = await subscribed(3)
  await say(store, 'nak', [(await get(store, 2)).grant])
  await say(store, 'nak', [(await get(store, 2)).grant], { delaySeconds: 3_600 })
  const held = await get(store, 9)
  expect(seqsOf(held)).toEqual([3])
  await putSubscription(store, configOf({ deliveriesMax: 1 }), by)
  expect(await statusOf(store)).toMatchObject({ dead: 2, retrying: 0, outstanding: 1 })
  await lookAtSubscriptions(store)
  expect(await statusOf(store)).toMatchObject({ dead: 2, outstanding: 1 })
  await runOut(store)
  await lookAtSubscriptions(store)
  expect(await statusOf(store)).toMatchObject({ dead: 3, outstanding: 0, lag: 0 })
  expect(await say(store, 'ack', [...tokensOf(held)])).toEqual(['already_settled'])
})

test('a hundredth that always fails does not keep the others', async () => {
  await using store = await subscribed(1_000, { deliveriesMax: 1_000, outstandingMax: 100 })
  const delivered = new Map<number, number>()
  for (let pulls = 0; (await statusOf(store)).lag > 0 && delivered.size < 1_000 && pulls < 200; pulls += 1) {
    const { items } = await get(store, 50)
    for (const { event } of items) delivered.set(event.seq, (delivered.get(event.seq) ?? 0) + 1)
    const fails = items.filter(({ event }) => event.seq % 100 === 0)
    await say(
      store,
      'nak',
      fails.map(({ token }) => token),
      { delaySeconds: 60 },
    )
    await say(
      store,
      'ack',
      items.filter((item) => !fails.includes(item)).map(({ token }) => token),
    )
  }
  expect(delivered.size).toBe(1_000)
  expect(await statusOf(store)).toMatchObject({ retrying: 10, outstanding: 0, dead: 0 })
  expect(Math.max(...delivered.values())).toBe(1)
})
