/** What a key may publish: topics, a source, and so much in a second. */
import { readAudit } from '@sekali/store/read-audit'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createQuota, RateLimited } from '../src/access/quota.ts'
import { exchange } from './exchange.ts'
import { eventBody, post, problemIn } from './gateway.ts'
import { ownKeys, type Wanted } from './own-keys.ts'

let own: Awaited<ReturnType<typeof ownKeys>>
beforeAll(async () => {
  own = await ownKeys()
})
afterAll(() => own[Symbol.asyncDispose]())

const orders = (fields: object = {}) => eventBody({ topic: 'orders.eu', ...fields })
const payments = eventBody({ topic: 'payments' })
const lines = { 'Content-Type': 'application/x-ndjson' }
const make = async (wanted: Wanted = {}) =>
  (await own.make({ scopes: ['publish'], topics: ['orders.*'], ...wanted })).text
const accepted = async () => {
  const { text } = await own.make()
  const stats = (await (await own.ask('/stats', text)).json()) as { totals: { accepted: number } }
  return stats.totals.accepted
}

test('an event of another topic is refused, and nothing of its batch is queued', async () => {
  const key = await make()
  const before = await accepted()
  const one = await own.ask('/publish', key, post(payments))
  expect(one.status).toBe(403)
  expect(await problemIn(one)).toMatchObject({
    code: 'forbidden',
    detail: 'The topic payments is not allowed. Nothing is queued. The key may use orders.*.',
    errors: [{ path: 'topic', code: 'forbidden_topic' }],
  })
  for (const headers of [{}, { Prefer: 'wait=1' }]) {
    const batch = post(`[${orders()},${payments},${eventBody({ topic: 'other' })}]`, headers)
    const response = await own.ask('/publish', key, batch)
    expect(response.status).toBe(403)
    expect((await problemIn(response)).errors).toMatchObject([{ index: 1, path: 'topic' }])
  }
  expect(await accepted()).toBe(before)
})

test('of a stream of lines, and of an array that is read leniently, it is among the bad ones', async () => {
  const key = await make()
  const stream = await own.ask('/publish', key, post(`${orders()}\n${payments}\n${orders()}\n`, lines))
  expect(stream.status).toBe(422)
  expect(await stream.json()).toMatchObject({
    queued: 2,
    invalid: 1,
    lines: [{ line: 2, errors: [{ path: 'topic', code: 'forbidden_topic' }] }],
  })
  const lenient = post(`[${payments},7,${orders()}]`, { Prefer: 'handling=lenient' })
  const array = await own.ask('/publish', key, lenient)
  expect([array.status, await array.json()]).toMatchObject([
    200,
    { queued: 1, invalid: 2, events: [{ index: 0, errors: [{ code: 'forbidden_topic' }] }, { index: 1 }] },
  ])
})

test('nobody speaks for another source', async () => {
  const key = await make({ source: 'shop' })
  expect((await own.ask('/publish', key, post(orders({ source: 'shop' })))).status).toBe(200)
  const other = await own.ask('/publish', key, post(orders({ source: 'shop2' })))
  expect(other.status).toBe(403)
  expect((await problemIn(other)).errors).toEqual([
    { path: 'source', code: 'forbidden_source', message: 'must be shop' },
  ])
})

test('what goes beyond the rate waits, and nothing of it is queued', async () => {
  const key = await make({ eventsPerSecond: 3 })
  const before = await accepted()
  const batch = post(`[${orders({ event_id: 'a' })},${orders({ event_id: 'b' })}]`)
  expect((await own.ask('/publish', key, batch)).status).toBe(200)
  const refused = await own.ask('/publish', key, batch)
  expect([refused.status, (await problemIn(refused)).code]).toEqual([429, 'rate_limited'])
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.headers.get('ratelimit-policy')).toBe('"events";q=3;w=1')
  expect(refused.headers.get('ratelimit')).toBe('"events";r=1;t=1')
  expect(await accepted()).toBe(before + 2)
  await eventually(async () => expect((await own.ask('/publish', key, batch)).status).toBe(200))
})

test('what is more than there ever is, is refused for good', async () => {
  const few = await make({ eventsPerSecond: 1 })
  const batch = await own.ask('/publish', few, post(`[${orders()},${orders()}]`))
  expect([batch.status, await batch.json()]).toMatchObject([
    413,
    { code: 'body_too_large', detail: 'This key may publish 1 events in a second, and no more at once.' },
  ])
  const small = await make({ bytesPerSecond: 100 })
  const large = await own.ask('/publish', small, post(orders({ payload: { a: 'x'.repeat(200) } })))
  expect([large.status, (await problemIn(large)).detail]).toEqual([
    413,
    'This key may publish 100 bytes in a second, and no more at once.',
  ])
})

test('a body that is refused counts as well, and one of chunks is not read beyond what there ever is', async () => {
  const key = await make({ bytesPerSecond: 1_000 })
  const other = eventBody({ topic: 'payments', payload: { a: 'x'.repeat(600) } })
  const statuses = []
  for (let n = 0; n < 10; n++) statuses.push((await own.ask('/publish', key, post(other))).status)
  expect(statuses).toContain(429)
  const small = await make({ bytesPerSecond: 100 })
  const chunked = await exchange(
    own.url,
    [
      'POST /publish HTTP/1.1',
      'Host: localhost',
      `Authorization: Bearer ${small}`,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Connection: close',
      '',
      `c8\r\n${'x'.repeat(200)}\r\n`, // and nothing after it
    ].join('\r\n'),
  )
  expect(chunked).toMatch(/^HTTP\/1.1 413 /)
})

test('a stream of lines is slowed down, and not refused', async () => {
  const key = await make({ eventsPerSecond: 20 })
  const before = await accepted()
  const body = Array.from({ length: 50 }, (_, n) => `${orders({ event_id: `${n}` })}\n`).join('')
  const startedAt = performance.now()
  const response = await own.ask('/publish', key, post(body, lines))
  expect([response.status, await response.json()]).toEqual([200, { status: 'queued', queued: 50 }])
  expect(performance.now() - startedAt).toBeGreaterThan(1_000) // 30 of them are more than there is at once
  expect(await accepted()).toBe(before + 50)
})

test('a bucket fills again by the clock, and holds what comes in a second', () => {
  let now = 0
  const quota = createQuota({ eventsPerSecond: 10, bytesPerSecond: 1_000 }, () => now)
  const spend = (events: number, bytes: number) => () => quota.spend({ events, bytes })
  spend(10, 500)()
  expect(spend(1, 1)).toThrow(RateLimited)
  now += 100
  spend(1, 1)()
  expect(spend(1, 1)).toThrow(RateLimited)
  now += 60_000
  spend(10, 1_000)()
  expect(spend(0, 1)).toThrow(RateLimited)
  now += 1_000
  expect(quota.owe({ events: 30, bytes: 0 })).toBe(2)
  expect(spend(1, 0)).toThrow(RateLimited)
})

test('figures are of the topics that a key may see, and name no others', async () => {
  await storeEvents(own.store, [event({ topic: 'orders.us', eventId: '1' })])
  await storeEvents(own.store, [event({ topic: 'secret', eventId: '1' }), event({ topic: 'secret' })])
  const reader = await own.make({ scopes: ['read'], topics: ['orders.us', 'none.>'] })
  const stats = await own.ask('/stats', reader.text)
  expect(await stats.json()).toMatchObject({
    totals: { stored: 1 },
    database_stats: { unique_events_stored: 1 },
    topics: [{ topic: 'orders.us', stored: 1 }],
    consumers: null,
    performance_metrics: { throughput_rps: null },
  })
  expect((await own.ask('/stats?topic=secret', reader.text)).status).toBe(403)
  expect((await own.ask('/stats?topic=orders.us', reader.text)).status).toBe(200)
})

test('the audit log names who was denied what administrators do, and does not fill up with it', async () => {
  const { key, text } = await own.make({ scopes: ['read', 'admin'], topics: ['orders.>'] })
  const only = await own.make({ scopes: ['read'] })
  for (let n = 0; n < 30; n++) await own.ask(`/topics/payments-${n}`, text, { method: 'DELETE' })
  // As a page does that asks again and again: one entry an hour.
  for (let n = 0; n < 5; n++) await own.ask('/doctor?token=x', only.text)
  await eventually(async () => {
    const denials = (await readAudit(own.store, { limit: 100 })).filter(({ action }) => action === 'denied')
    const of = (actor: string) => denials.filter((one) => one.actor === actor)
    expect(of(only.key.id)).toMatchObject([{ target: 'GET /doctor', client: '127.0.0.1' }])
    expect(of(key.id)).toHaveLength(10)
    expect(of(key.id)[0]).toMatchObject({ target: expect.stringMatching(/^DELETE \/topics\/payments-\d$/) })
  })
})
