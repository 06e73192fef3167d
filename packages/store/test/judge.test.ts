/** What becomes of an endpoint for what it answers. Only the database's clock counts; tests move the times that it wrote. */

import { parsePattern } from '@sekali/core/pattern'
import { expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { readAttempts } from '../src/push/attempts.ts'
import { pauseSubscription, resumeSubscription } from '../src/subscriptions/control.ts'
import { listDead } from '../src/subscriptions/dead.ts'
import { delivered, endpointOf, failed, pushed, seqsIn, turn } from './push.ts'
import { by, runOut, statusOf } from './subscriptions.ts'

/** As if so much time had passed: of what the endpoint waits for, and of what it remembers. */
const later = (store: Store, hours: number) =>
  store.pool.query(
    `UPDATE subscriptions.endpoints SET failing_since = failing_since - $1 * interval '1 hour',
       failed_at = failed_at - $1 * interval '1 hour', held_until = held_until - $1 * interval '1 hour',
       probe_at = probe_at - $1 * interval '1 hour'`,
    [hours],
  )

/** Has one event fail, once whatever held it is over. */
async function failOnce(store: Store, changes: Parameters<typeof failed>[1] = {}) {
  await later(store, 1)
  await runOut(store)
  const { items } = await turn(store, [], { max: 1 })
  return await turn(store, failed(items, changes), { max: 0 })
}

test('five failures in a row make it degraded: one event at a time, with pauses; a success ends that', async () => {
  await using store = await pushed(20)
  const { items } = await turn(store, [], { max: 5 })
  const held = await turn(store, failed(items))
  expect(held).toMatchObject({ state: 'held', endpoint: 'degraded', items: [] })
  expect(held.nextDueInMs).toBeGreaterThan(4_000)
  expect(held.nextDueInMs).toBeLessThanOrEqual(5_000)
  expect(await endpointOf(store)).toMatchObject({ state: 'degraded', failures: 5 })
  await later(store, 1)
  const one = await turn(store)
  expect(one).toMatchObject({ state: 'given', endpoint: 'degraded' })
  expect(one.items).toHaveLength(1)
  // The next step is 300 s, and a minute the longest.
  const longer = await turn(store, failed(one.items))
  expect(longer.nextDueInMs).toBeGreaterThan(55_000)
  expect(longer.nextDueInMs).toBeLessThanOrEqual(60_000)
  await later(store, 1)
  const next = await turn(store)
  const after = await turn(store, delivered(next.items))
  expect(after).toMatchObject({ state: 'given', endpoint: 'active' })
  expect(after.items.length).toBeGreaterThan(1)
  expect(await endpointOf(store)).toMatchObject({ state: 'active', failures: 0, failingSince: null })
})

test('a success among failures keeps it active', async () => {
  await using store = await pushed(20)
  const { items } = await turn(store)
  await turn(store, [...failed(items.slice(1)), ...delivered(items.slice(0, 1))])
  expect(await endpointOf(store)).toMatchObject({ state: 'active' })
})

for (const status of [429, 502, 503, 504]) {
  test(`${status} has all of the endpoint wait for a step, or for what it asks for, up to twice the step`, async () => {
    await using store = await pushed(20)
    const first = await turn(store, [], { max: 2 })
    const plain = await turn(store, failed(first.items.slice(0, 1), { status }))
    expect(plain).toMatchObject({ state: 'held', endpoint: 'active' })
    expect(plain.nextDueInMs).toBeLessThanOrEqual(5_000)
    // What comes while it is held does not make that longer.
    const again = await turn(store, failed(first.items.slice(1), { status, retryAfterSeconds: 3_600 }))
    expect(again.nextDueInMs).toBeLessThanOrEqual(5_000)
    await later(store, 1)
    await runOut(store)
    const { items } = await turn(store, [], { max: 1 })
    const asked = await turn(store, failed(items, { status, retryAfterSeconds: 3_600 }))
    expect(asked.nextDueInMs).toBeGreaterThan(115_000)
    expect(asked.nextDueInMs).toBeLessThanOrEqual(120_000)
  })
}

test('410 disables it: nothing is handed out, retries included, until somebody resumes it', async () => {
  await using store = await pushed(6)
  const { items } = await turn(store, [], { max: 4 })
  const [one, two, ...rest] = items
  await turn(store, failed(one ? [one] : []), { max: 0 })
  expect(await turn(store, failed(two ? [two] : [], { status: 410 }))).toMatchObject({
    state: 'disabled',
    items: [],
    nextDueInMs: null,
  })
  // What was on its way may get through; that does not bring it back.
  expect(await turn(store, delivered(rest))).toMatchObject({ state: 'disabled' })
  await later(store, 10_000)
  await runOut(store)
  expect(await turn(store)).toMatchObject({ state: 'disabled', items: [] })
  expect(await endpointOf(store)).toMatchObject({ state: 'disabled', why: 'gone', probeAt: null })
  await resumeSubscription(store, 'mailer', by)
  expect(seqsIn(await turn(store)).sort()).toEqual([1, 2, 5, 6])
  expect(await statusOf(store)).toMatchObject({ dead: 0 })
})

test('only failures for five days disable it, if they are half a day apart, and one event an hour tries it', async () => {
  await using store = await pushed(20, { retrySeconds: Array(19).fill(60) })
  for (let n = 0; n < 5; n++) await failOnce(store)
  await later(store, 13)
  await failOnce(store)
  expect(await endpointOf(store)).toMatchObject({ state: 'degraded' })
  // Longer than two days without a failure: what was before does not count.
  await later(store, 24 * 5)
  await failOnce(store)
  expect(await endpointOf(store)).toMatchObject({ state: 'degraded' })
  for (let day = 0; day < 5; day++) {
    await later(store, 24)
    const { state } = await failOnce(store)
    expect(state, `day ${day}`).toBe(day < 4 ? 'held' : 'disabled')
  }
  expect(await endpointOf(store)).toMatchObject({ state: 'disabled', why: 'failing' })
  await runOut(store)
  expect(await turn(store)).toMatchObject({ state: 'disabled', items: [] })
  await later(store, 1)
  const probe = await turn(store)
  expect(probe).toMatchObject({ state: 'given', isProbe: true })
  expect(probe.items).toHaveLength(1)
  const attempt = probe.items[0]?.attempt
  expect(await turn(store)).toMatchObject({ state: 'disabled' })
  // A probe that fails is no attempt of its event.
  await turn(store, failed(probe.items, { kind: 'probe' }, { do: 'release' }))
  await later(store, 1)
  const second = await turn(store)
  expect(second.items.map((item) => item.attempt)).toEqual([attempt])
  const after = await turn(store, delivered(second.items, 'probe'))
  expect(after).toMatchObject({ state: 'given', endpoint: 'active', isProbe: false })
  expect(await listDead(store, { within: [parsePattern('>')], limit: 10 })).toEqual([])
})

test('a probe that is answered with 410 is the last one', async () => {
  await using store = await pushed(2)
  await store.pool.query(
    "UPDATE subscriptions.endpoints SET state = 'disabled', why = 'failing', probe_at = clock_timestamp()",
  )
  const probe = await turn(store)
  expect(probe).toMatchObject({ state: 'given', isProbe: true })
  await turn(store, failed(probe.items, { kind: 'probe', status: 410 }, { do: 'release' }))
  await later(store, 10)
  expect(await turn(store)).toMatchObject({ state: 'disabled', items: [] })
  expect(await endpointOf(store)).toMatchObject({ why: 'gone', probeAt: null })
})

test('what is paused gets nothing, can be settled, and begins anew when it is resumed', async () => {
  await using store = await pushed(3)
  const { items } = await turn(store, [], { max: 2 })
  await pauseSubscription(store, 'mailer', by)
  expect(await turn(store, delivered(items))).toMatchObject({ state: 'paused', items: [], nextDueInMs: null })
  expect(await statusOf(store)).toMatchObject({ lag: 1, outstanding: 0 })
  await resumeSubscription(store, 'mailer', by)
  expect(seqsIn(await turn(store))).toEqual([3])
})

test('a turn whose answer is lost costs no attempt, and the same outcomes again settle nothing twice', async () => {
  await using store = await pushed(2)
  const lost = await turn(store)
  const [token = ''] = lost.items.map((item) => item.token)
  const grant = token.split('.').slice(0, 3).join('.')
  const again = await turn(store, [{ token: grant, do: 'release' }])
  expect(again.items.map(({ attempt }) => attempt)).toEqual([1, 1])
  await turn(store, delivered(again.items))
  await turn(store, delivered(again.items))
  await turn(store, delivered(lost.items))
  expect(await statusOf(store)).toMatchObject({ lag: 0, outstanding: 0, dead: 0 })
})

test('text that PostgreSQL cannot hold is written down as what it can', async () => {
  await using store = await pushed(1)
  const { items } = await turn(store)
  const response = { headers: { 'x-a': 'b\0c' }, body: 'a\0b\uD800c', cut: false }
  await turn(store, failed(items, { response, error: 'a\0b' }, { reason: 'a\0\uD800' }))
  const within = [parsePattern('>')]
  const { id } = await statusOf(store)
  expect((await readAttempts(store, { subscription: id, within, limit: 1 }))[0]?.response?.body).toBe(
    'a\uFFFDb\uFFFDc',
  )
})
