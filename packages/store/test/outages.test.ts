/** Leases stand still while PostgreSQL, or everybody who could settle, is away: that is no attempt. */
import { expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { attemptsOf, get, runOut, say, seqsOf, statusOf, subscribed, tokensOf } from './subscriptions.ts'

/** Makes everything so much older, as if nobody had been there meanwhile. The last note of PostgreSQL answering as well. */
const away = (store: Store, seconds: number) =>
  store.pool.query(
    `WITH h AS (UPDATE subscriptions.heartbeat SET at = at - $1 * interval '1 s'),
       s AS (UPDATE subscriptions.states SET horizon = horizon - $1 * interval '1 s'),
       o AS (UPDATE subscriptions.outages SET began_at = began_at - $1 * interval '1 s',
         ended_at = ended_at - $1 * interval '1 s')
     UPDATE subscriptions.exceptions SET since = since - $1 * interval '1 s', due_at = due_at - $1 * interval '1 s'`,
    [seconds],
  )

/** The database is a copy of one that has been waiting for a while. */
async function beginNow(store: Store): Promise<void> {
  await lookAtSubscriptions(store)
  await store.pool.query('DELETE FROM subscriptions.outages')
}

test('leases that ran out while nobody could settle go on, and count no attempt', async () => {
  await using store = await subscribed(2, { leaseSeconds: 10, deliveriesMax: 1 })
  await beginNow(store)
  const held = await get(store, 2)
  for (let outage = 0; outage < 3; outage += 1) {
    await away(store, 100)
    expect(seqsOf(await get(store, 9))).toEqual([])
    await away(store, 100)
    await lookAtSubscriptions(store)
    expect(await statusOf(store)).toMatchObject({ outstanding: 2, dead: 0 })
  }
  expect(await say(store, 'ack', tokensOf(held).slice(0, 1))).toEqual(['done'])
  // Only what runs out while it could have been settled counts.
  await runOut(store)
  await store.pool.query(
    'UPDATE subscriptions.exceptions SET since = (SELECT max(ended_at) FROM subscriptions.outages)',
  )
  await lookAtSubscriptions(store)
  expect(await statusOf(store)).toMatchObject({ outstanding: 0, dead: 1 })
})

test('a lease that had run out before is an attempt', async () => {
  await using store = await subscribed(1, { leaseSeconds: 10 })
  await beginNow(store)
  await get(store, 1)
  await store.pool.query(
    `WITH s AS (UPDATE subscriptions.states SET horizon = horizon - interval '1 hour')
     UPDATE subscriptions.exceptions SET since = since - interval '1 hour', due_at = due_at - interval '30 s'`,
  )
  await away(store, 100)
  expect(attemptsOf(await get(store, 1))).toEqual([2])
})

test('a short pause is no outage, but a start of PostgreSQL is', async () => {
  await using store = await subscribed(1)
  const outages = async () => Number((await store.pool.query('SELECT * FROM subscriptions.outages')).rowCount)
  await beginNow(store)
  await away(store, 2)
  await lookAtSubscriptions(store)
  expect(await outages()).toBe(0)
  await store.pool.query(`UPDATE subscriptions.heartbeat SET started_at = started_at - interval '1 s'`)
  await lookAtSubscriptions(store)
  await lookAtSubscriptions(store)
  expect(await outages()).toBe(1)
})

test('a clock that was set back strands nothing', async () => {
  await using store = await subscribed(3)
  await say(store, 'nak', [(await get(store, 1)).grant], { delaySeconds: 3_600 })
  // As if all that is remembered were of a clock that was an hour ahead.
  await away(store, -3_600)
  const second = await get(store, 1)
  expect(seqsOf(second)).toEqual([2])
  const { rows } = await store.pool.query(
    `SELECT bool_and(x.due_at > s.horizon) AS ahead FROM subscriptions.exceptions x,
       (SELECT max(horizon) AS horizon FROM subscriptions.states) s`,
  )
  expect(rows).toEqual([{ ahead: true }])
  await say(store, 'release', [second.grant])
  await away(store, 3_601)
  expect(seqsOf(await get(store, 9))).toEqual(expect.arrayContaining([2, 3]))
})

test('no time comes from outside', async () => {
  await using store = await subscribed(1)
  const { rows } = await store.pool.query<{ proname: string }>(
    `SELECT proname FROM pg_proc f WHERE pronamespace IN ('subscriptions'::regnamespace, 'sekali'::regnamespace)
       AND proname IN ('pull', 'settle', 'look')
       AND ('timestamptz'::regtype = ANY (proargtypes) OR 'timestamp'::regtype = ANY (proargtypes))`,
  )
  expect(rows).toEqual([])
})
