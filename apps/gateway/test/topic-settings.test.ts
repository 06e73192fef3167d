/** What is said about a topic over HTTP, and what becomes of repeats then. */
import { readTopicSettings } from '@sekali/store/topic-settings'
import type { startApp } from '@sekali/testkit/app'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventBody, post, problemIn } from './gateway.ts'
import { ownReceipts } from './own-receipts.ts'
import { type KeyedGateway, serveWithKeys } from './with-keys.ts'

let keyed: KeyedGateway
let system: Awaited<ReturnType<typeof ownReceipts>>
let consumer: ReturnType<typeof startApp>
beforeAll(async () => {
  keyed = await serveWithKeys()
  system = await ownReceipts()
  consumer = system.startConsumer()
})
afterAll(async () => {
  await consumer[Symbol.asyncDispose]()
  await system[Symbol.asyncDispose]()
  await keyed[Symbol.asyncDispose]()
})

const put = (topic: string, body: unknown, headers = {}) =>
  fetch(`${system.url}/topics/${topic}/settings`, { ...post(JSON.stringify(body), headers), method: 'PUT' })

test('settings of a topic are said before its first event, and are obeyed from then on [P4]', async () => {
  expect(await (await system.get('/topics/carts/settings')).json()).toEqual({
    topic: 'carts',
    same_content: 'bytes',
  })
  const answer = await put('carts', { same_content: 'json' })
  expect([answer.status, await answer.json()]).toEqual([200, { topic: 'carts', same_content: 'json' }])
  expect(await (await system.get('/topics/carts/settings')).json()).toMatchObject({ same_content: 'json' })

  const cart = (payload: string, timestamp = '2025-12-08T10:00:00.000000Z') =>
    `{"topic":"carts","event_id":"c","source":"shop","timestamp":"${timestamp}","payload":${payload}}`
  const said = async (body: string) => (await system.publish(body)).slice(0, 2)
  const known = { event_id: 'c', seq: 1 }
  const first = '{"a":1,"b":"é"}'
  const again = '{ "b":"\\u00e9", "a":1.0 }'
  expect(await said(cart(first))).toEqual([200, { status: 'stored', ...known }])
  expect(await said(cart(first))).toEqual([200, { status: 'duplicate', ...known }])
  expect(await said(cart(again))).toEqual([200, { status: 'duplicate', ...known, differs: ['payload'] }])
  expect(await said(cart(again, '2025-12-08T10:00:01Z'))).toEqual([
    200,
    { status: 'duplicate', ...known, differs: ['timestamp', 'payload'] },
  ])
  expect(await said(cart('{"a":2,"b":"é"}'))).toMatchObject([409, { code: 'conflict', seq: 1 }])
  const [stored] = (await (await system.get('/events?topic=carts')).json()) as { payload: unknown }[]
  expect(stored?.payload).toEqual({ a: 1, b: 'é' })

  expect((await put('carts', { same_content: 'bytes' })).status).toBe(200)
  expect(await said(cart(again))).toMatchObject([409, { code: 'conflict', seq: 1 }])
})

test('what is no setting is refused in words, and changes nothing', async () => {
  const refused = async (topic: string, body: unknown, headers = {}) => {
    const answer = await put(topic, body, headers)
    const { status, code, errors } = await problemIn(answer)
    return { status, code, errors }
  }
  expect(await refused('baskets', { same_content: 'text' })).toEqual({
    status: 422,
    code: 'invalid_body',
    errors: [{ path: 'same_content', code: 'invalid_same_content', message: 'must be bytes or json' }],
  })
  expect(await refused('baskets', {})).toMatchObject({
    errors: [{ path: 'same_content', code: 'missing_field', message: 'is required' }],
  })
  expect(await refused('baskets', { same_content: 'json', retention: '1d' })).toMatchObject({
    errors: [{ path: 'retention', code: 'unknown_field' }],
  })
  expect(await refused('baskets', ['json'])).toMatchObject({ code: 'invalid_body' })
  expect(await refused('baskets.', { same_content: 'json' })).toMatchObject({
    status: 404,
    code: 'unknown_topic',
  })
  expect(await refused('baskets', 'json', { 'Content-Type': 'text/xml' })).toMatchObject({ status: 415 })
  expect(await refused('baskets', {}, { Origin: 'https://elsewhere.example' })).toMatchObject({
    code: 'foreign_origin',
  })
  expect(await (await system.get('/topics/baskets/settings')).json()).toMatchObject({ same_content: 'bytes' })
  expect(await (await system.get('/stats?topic=baskets')).json()).toMatchObject({ topics: [] })
})

test('who says what holds for a topic is in the audit log, and who may not say it changes nothing', async () => {
  const { store } = keyed.gateway
  const path = '/topics/orders.eu/settings'
  const reader = await keyed.make({ scopes: ['read'], topics: ['orders.>'] })
  const other = await keyed.make({ scopes: ['read', 'admin'], topics: ['payments.>'] })
  const json = { same_content: 'json' }
  for (const { key } of [reader, other]) expect((await keyed.send(key, 'PUT', path, json)).status).toBe(403)
  expect(await readTopicSettings(store, 'orders.eu' as never)).toEqual({ sameContent: 'bytes' })
  for (let time = 0; time < 2; time++) {
    expect((await keyed.send(keyed.first, 'PUT', path, json)).status).toBe(200)
  }
  expect(await (await keyed.send(reader.key, 'GET', path)).json()).toEqual({ topic: 'orders.eu', ...json })
  const entries = (await (await keyed.send(keyed.first, 'GET', '/audit')).json()) as { action: string }[]
  expect(entries.filter(({ action }) => action === 'topic_settings')).toMatchObject([
    {
      actor: keyed.first.split('_')[1],
      client: '127.0.0.1',
      target: 'orders.eu',
      details: { same_content: 'json', was: 'bytes' },
    },
  ])
  // A topic that was made so has no event, and can be dropped with what was said about it.
  expect((await keyed.send(keyed.first, 'DELETE', '/topics/orders.eu')).status).toBe(200)
  expect(await (await keyed.send(reader.key, 'GET', path)).json()).toMatchObject({ same_content: 'bytes' })
})

test('doctor names the topics whose repeats are compared by what they mean', async () => {
  const find = async () => {
    const answer = await keyed.send(keyed.first, 'GET', '/doctor')
    const { findings } = (await answer.json()) as { findings: { check: string; message: string }[] }
    return findings.find(({ check }) => check === 'topics.same_content')?.message
  }
  expect(await find()).toMatch(/^bytes/)
  for (const topic of ['j1', 'j2', 'j3', 'j4', 'j5']) {
    const answer = await keyed.send(keyed.first, 'PUT', `/topics/${topic}/settings`, { same_content: 'json' })
    expect(answer.status).toBe(200)
  }
  await expect
    .poll(find, { timeout: 10_000 })
    .toBe('json in j1, j2, j3 and 2 more; bytes in all other topics')
})

test('an event that comes meanwhile makes no second topic of it', async () => {
  const body = eventBody({ topic: 'made', event_id: '1' })
  const [published, answer] = await Promise.all([system.publish(body), put('made', { same_content: 'json' })])
  expect([published[1].status, answer.status]).toEqual(['stored', 200])
  expect(await (await system.get('/topics/made/settings')).json()).toMatchObject({ same_content: 'json' })
})
