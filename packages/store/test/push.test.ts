/** Events are handed out to dispatchers, and what came of them is written down in the same turn. */
import { parsePattern } from '@sekali/core/pattern'
import { expect, test } from 'vitest'
import { readAttempts, readSuccess } from '../src/push/attempts.ts'
import { readTargets } from '../src/push/dispatch.ts'
import { putPush } from '../src/push/put.ts'
import { redeliver } from '../src/push/redeliver.ts'
import { removeSubscription } from '../src/subscriptions/control.ts'
import { listDead } from '../src/subscriptions/dead.ts'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { pull } from '../src/subscriptions/pull.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import { readSubscription } from '../src/subscriptions/read.ts'
import { delivered, endpointOf, failed, idOf, pushed, pushOf, sealed, seqsIn, turn } from './push.ts'
import { add, by, configOf, floorOf, oneSession, runOut, upTo } from './subscriptions.ts'

const within = [parsePattern('>')]
const page = async (store: Parameters<typeof idOf>[0], more: object = {}) =>
  readAttempts(store, { subscription: await idOf(store), within, limit: 100, ...more })

test('what was delivered is settled, and what failed comes again with its attempt counted', async () => {
  await using store = await pushed(5)
  const first = await turn(store)
  expect(first).toMatchObject({ state: 'given', endpoint: 'active', isProbe: false, moreFirst: false })
  expect(seqsIn(first)).toEqual(upTo(5))
  const [one, ...rest] = first.items
  const second = await turn(store, [...delivered(rest), ...failed(one ? [one] : [])])
  expect(second.items).toEqual([])
  expect(second.nextDueInMs).toBeGreaterThan(3_000)
  expect(await floorOf(store)).toBe(0)
  await runOut(store)
  const again = await turn(store)
  expect(again.items.map(({ attempt, event }) => [event.seq, attempt])).toEqual([[1, 2]])
  await turn(store, delivered(again.items))
  expect(await floorOf(store)).toBe(5)
  expect((await page(store)).map(({ seq, attempt, state }) => [seq, attempt, state])).toEqual([
    [1, 2, 'delivered'],
    [1, 1, 'failed'],
    ...[5, 4, 3, 2].map((seq) => [seq, 1, 'delivered']),
  ])
  const [last] = await page(store, { topic: 'orders', seq: 1, state: 'failed' })
  expect(last).toMatchObject({
    kind: 'event',
    topic: 'orders',
    epoch: 1,
    status: 500,
    error: 'status',
    durationMs: 12,
    request: { url: 'https://example.com/hook', headers: { 'webhook-id': 'evt_1' } },
    response: { headers: { 'content-type': 'text/plain' }, body: 'ok', cut: false },
    retryInSeconds: 5,
  })
  expect((await readSuccess(store, [await idOf(store)])).get(await idOf(store))).toEqual({
    delivered: 5,
    failed: 1,
  })
})

test('first attempts and retries have room of their own, and neither takes the other’s', async () => {
  await using store = await pushed(6)
  const first = await turn(store, [], { firstMax: 3, againMax: 0, max: 3 })
  await turn(store, failed(first.items), { firstMax: 0, againMax: 0, max: 0 })
  await runOut(store)
  const mixed = await turn(store, [], { firstMax: 2, againMax: 1, max: 3 })
  expect(mixed.items.map(({ event, attempt }) => [event.seq, attempt])).toEqual([
    [1, 2],
    [4, 1],
    [5, 1],
  ])
  expect(mixed).toMatchObject({ moreFirst: true, moreAgain: true })
  const onlyFirst = await turn(store, [], { firstMax: 9, againMax: 0, max: 9 })
  expect(seqsIn(onlyFirst)).toEqual([6])
  expect(onlyFirst).toMatchObject({ moreFirst: false, moreAgain: true })
  const onlyAgain = await turn(store, [], { firstMax: 0, againMax: 9, max: 9 })
  expect(seqsIn(onlyAgain)).toEqual([2, 3])
})

test('rows written for a delivery of an endpoint that keeps up: three, and fewer where several come together', async () => {
  await using made = await pushed(1)
  await using store = oneSession(made) // which knows at once what it has written
  const written = async () => {
    await store.pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await store.pool.query<{ rows: string }>(
      `SELECT sum(n_tup_ins + n_tup_upd) AS rows FROM pg_stat_all_tables
       WHERE schemaname = 'subscriptions' AND relname <> 'heartbeat'`,
    )
    return Number(rows[0]?.rows)
  }
  // What is settled first was handed out before, and what is handed out last is settled after: as many each.
  const rowsEach = async (deliveries: number, together: number): Promise<number> => {
    await add(store, 'orders', together)
    let given = await turn(store)
    const before = await written()
    for (let n = 0; n < deliveries; n += together) {
      await add(store, 'orders', together)
      given = await turn(store, delivered(given.items))
      expect(given.items.length).toBe(together)
    }
    const after = await written()
    await turn(store, delivered(given.items))
    return (after - before) / deliveries
  }
  await turn(store, delivered((await turn(store)).items))
  expect(await rowsEach(60, 1)).toBe(3)
  expect(await rowsEach(200, 10)).toBeCloseTo(1.2, 5)
})

test('an event that was tried as often as it may is a dead letter, and with stop the endpoint is disabled', async () => {
  await using store = await pushed(3, { retrySeconds: [], onExhausted: 'stop' })
  const first = await turn(store, [], { max: 1 })
  const second = await turn(store, failed(first.items))
  expect(second).toMatchObject({ state: 'disabled', items: [], nextDueInMs: null })
  expect(await endpointOf(store)).toMatchObject({ state: 'disabled', why: 'exhausted' })
  expect(await listDead(store, { within, limit: 10 })).toMatchObject([
    { seq: 1, attempts: 1, reason: 'exhausted: status 500' },
  ])
})

test('a subscription that is pushed is not pulled, and keeps its kind', async () => {
  await using store = await pushed(1)
  expect(await pull(store, { name: 'mailer', max: 1, bytesMax: 100 })).toBe('push')
  expect(await putSubscription(store, configOf(), by)).toMatchObject({
    outcome: 'immutable',
    field: 'kind',
    subscription: { kind: 'push' },
  })
  await putSubscription(store, configOf({ name: 'pulled' }), by)
  expect(await putPush(store, pushOf({ name: 'pulled' }), sealed, by)).toMatchObject({
    outcome: 'immutable',
    field: 'kind',
  })
  expect(await turn(store, [], { name: 'pulled' })).toMatchObject({ state: 'unknown', items: [] })
})

test('one event goes out again when somebody asks, whatever became of it', async () => {
  await using store = await pushed(4, { retrySeconds: [] })
  const again = (seq: number) => redeliver(store, { name: 'mailer', topic: 'orders' as never, seq }, by)
  expect(await again(1)).toBe('not_yet')
  const { items } = await turn(store, [], { max: 3 })
  expect(await again(1)).toBe('in_flight')
  await turn(store, [...delivered(items.slice(0, 2)), ...failed(items.slice(2))], { max: 0 })
  expect(await again(1)).toBe('queued')
  expect(await again(1)).toBe('queued')
  expect(await again(3)).toBe('queued')
  expect(await again(9)).toBe('not_found')
  const given = await turn(store, [], { firstMax: 0 })
  expect(given.items.map(({ event, attempt }) => [event.seq, attempt])).toEqual([
    [1, 1],
    [3, 1],
  ])
  await turn(store, delivered(given.items), { max: 0 })
  expect(await floorOf(store)).toBe(3)
  expect(await readSubscription(store, 'mailer')).toMatchObject({
    outstanding: 0,
    retrying: 0,
    dead: 0,
    lag: 1,
  })
})

test('what waits for its retry need not wait', async () => {
  await using store = await pushed(1)
  const { items } = await turn(store)
  await turn(store, failed(items, {}, { delaySeconds: 300 }))
  expect((await turn(store)).items).toEqual([])
  expect(await redeliver(store, { name: 'mailer', topic: 'orders' as never, seq: 1 }, by)).toBe('queued')
  expect((await turn(store)).items.map(({ attempt }) => attempt)).toEqual([2])
})

test('what a dispatcher that died had is no attempt, and is no dead letter', async () => {
  await using store = await pushed(1, { retrySeconds: [] })
  for (let deaths = 0; deaths < 3; deaths++) {
    const { items } = await turn(store)
    expect(items.map(({ attempt }) => attempt)).toEqual([1])
    await runOut(store)
    await lookAtSubscriptions(store)
  }
  const { items } = await turn(store)
  await turn(store, failed(items))
  expect((await listDead(store, { within, limit: 10 })).map(({ attempts }) => attempts)).toEqual([1])
})

test('a dispatcher that knows an earlier URL, or a subscription that is gone, gets nothing to send', async () => {
  await using store = await pushed(3)
  const known = async () => {
    const [target] = await readTargets(store)
    if (target === undefined) throw new Error('no target')
    return { id: target.id, version: target.version }
  }
  const old = await known()
  const { items } = await turn(store, [], { max: 1, target: old })
  expect(items).toHaveLength(1)
  await putPush(store, pushOf({ url: 'https://example.org/other' }), sealed, by)
  const held = await turn(store, delivered(items), { target: old })
  expect(held).toMatchObject({ state: 'held', items: [], nextDueInMs: 200 })
  expect(seqsIn(await turn(store, [], { target: await known() }))).toEqual([2, 3])
  await removeSubscription(store, 'mailer', by)
  await putPush(store, pushOf(), sealed, by)
  expect(await turn(store, [], { target: old })).toMatchObject({ state: 'unknown', items: [] })
})
