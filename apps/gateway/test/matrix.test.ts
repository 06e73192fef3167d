/**
 * Every route × every scope × a key whose topics cover what is asked, or do not. The routes are those of the table: one
 * without a rule here does not compile.
 */
import { type RouteId, routes } from '@sekali/api/routes'
import { type Scope, scopes } from '@sekali/core/access'
import { startRedrive } from '@sekali/store/redrive'
import { registerProjection } from '@sekali/store/register-projection'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventBody, post, problemIn } from './gateway.ts'
import { ownKeys } from './own-keys.ts'
import { ownWebhooks } from './own-webhooks.ts'
import { madeUp } from './retyped.ts'

interface Rule {
  /** What is asked, of the topic `orders.eu`, or of a key for it. */
  readonly path: string | (() => string)
  readonly init?: RequestInit
  /** The answer to a key that may do it. */
  readonly allowed: number
  /** The answer to a key of the right scope and other topics: refused unless what it may not see is left out. */
  readonly elsewhere: 403 | 200 | 201
}

const json = post(eventBody({ topic: 'orders.eu' }))
const refused = { elsewhere: 403 } as const
const asPost = { method: 'POST' } as const
const hook = '/subscriptions/hook'

const rules: Record<RouteId, Rule | 'none'> = {
  publish: { path: '/publish', init: json, allowed: 200, ...refused },
  readEvents: { path: '/events?topic=orders.eu', allowed: 200, ...refused },
  tailEvents: { path: '/tail?topic=orders.eu', init: { method: 'HEAD' }, allowed: 200, ...refused },
  findEvent: { path: '/events/orders.eu?event_id=1', allowed: 200, ...refused },
  readEvent: { path: '/events/orders.eu/1', allowed: 200, ...refused },
  showTopic: { path: '/topics/orders.eu', allowed: 200, ...refused },
  dropTopic: { path: '/topics/orders.eu', init: { method: 'DELETE' }, allowed: 409, ...refused },
  readTopicSettings: { path: '/topics/orders.eu/settings', allowed: 200, ...refused },
  setTopicSettings: {
    path: '/topics/orders.eu/settings',
    init: { ...post('{"same_content":"bytes"}'), method: 'PUT' },
    allowed: 200,
    ...refused,
  },
  beginEpochs: { path: '/epochs', init: post('{"dry_run":true}'), allowed: 200, ...refused },
  readStats: { path: '/stats', allowed: 200, elsewhere: 200 },
  readRates: { path: '/rates?topic=orders.eu', allowed: 200, ...refused },
  runDoctor: { path: '/doctor', allowed: 200, ...refused },
  listProjections: { path: '/projections', allowed: 200, elsewhere: 200 },
  readProjection: { path: '/projections/totals', allowed: 200, ...refused },
  readProjectionKey: { path: '/projections/totals/a', allowed: 404, ...refused },
  dropProjection: { path: '/projections/totals', init: { method: 'DELETE' }, allowed: 409, ...refused },
  rebuildProjection: {
    path: '/projections/totals/rebuild',
    init: { method: 'POST' },
    allowed: 202,
    ...refused,
  },
  listSubscriptions: { path: '/subscriptions', allowed: 200, elsewhere: 200 },
  readSubscription: { path: '/subscriptions/mailer', allowed: 200, ...refused },
  putSubscription: {
    path: '/subscriptions/new',
    init: { ...post('{"topics":"orders.eu"}'), method: 'PUT' },
    allowed: 201,
    ...refused,
  },
  pull: { path: '/subscriptions/mailer/pull', init: post('{}'), allowed: 200, ...refused },
  settle: {
    path: '/subscriptions/mailer/settle',
    init: post('{"items":[{"token":"none","do":"ack"}]}'),
    allowed: 200,
    ...refused,
  },
  pauseSubscription: { path: '/subscriptions/mailer/pause', init: asPost, allowed: 200, ...refused },
  resumeSubscription: { path: '/subscriptions/mailer/resume', init: asPost, allowed: 200, ...refused },
  seekSubscription: {
    path: '/subscriptions/mailer/seek',
    init: post('{"from":"start"}'),
    allowed: 200,
    ...refused,
  },
  testEndpoint: { path: `${hook}/test`, init: asPost, allowed: 503, ...refused },
  listAttempts: { path: `${hook}/attempts`, allowed: 200, ...refused },
  retryDelivery: { path: `${hook}/deliveries/orders.eu/1/retry`, init: asPost, allowed: 409, ...refused },
  rotateSecret: { path: `${hook}/secrets`, init: asPost, allowed: 201, ...refused },
  deleteSecret: { path: `${hook}/secrets/999`, init: { method: 'DELETE' }, allowed: 404, ...refused },
  deleteSubscription: { path: '/subscriptions/mailer', init: { method: 'DELETE' }, allowed: 200, ...refused },
  createKey: {
    path: '/keys',
    init: post(JSON.stringify({ name: 'a', scopes: ['admin'], topics: ['orders.eu'] })),
    allowed: 201,
    ...refused,
  },
  listKeys: { path: '/keys', allowed: 200, elsewhere: 200 },
  readKey: { path: () => `/keys/${ids.read}`, allowed: 200, ...refused },
  rotateKey: {
    path: () => `/keys/${ids.rotate}/rotate`,
    init: post('{"old_expires_in_seconds":0}'),
    allowed: 201,
    ...refused,
  },
  revokeKey: { path: () => `/keys/${ids.revoke}`, allowed: 200, ...refused },
  readAudit: { path: '/audit', allowed: 200, ...refused },
  listLetters: { path: '/dead-letters', allowed: 200, elsewhere: 200 },
  readLetter: { path: '/dead-letters/c-1', allowed: 200, ...refused },
  redrive: {
    path: '/dead-letters/redrive',
    init: post('{"filter":{"topic":"orders.eu"},"dry_run":true}'),
    allowed: 200,
    ...refused,
  },
  discardLetter: {
    path: '/dead-letters/c-1/discard',
    init: post('{"reason":"a test"}'),
    allowed: 200,
    ...refused,
  },
  publishAs: {
    path: '/dead-letters/c-2/publish-as',
    init: post('{"event_id":"2"}'),
    allowed: 200,
    ...refused,
  },
  listOperations: { path: '/operations', allowed: 200, elsewhere: 200 },
  readOperation: { path: '/operations/1', allowed: 200, ...refused },
  cancelOperation: { path: '/operations/1/cancel', init: { method: 'POST' }, allowed: 200, ...refused },
  logIn: { path: '/session', init: { method: 'POST' }, allowed: 201, elsewhere: 201 },
  readSession: { path: '/session', allowed: 200, elsewhere: 200 },
  logOut: { path: '/session', init: { method: 'DELETE' }, allowed: 200, elsewhere: 200 },
  showConsole: 'none',
  readAsset: 'none',
  showIcon: 'none',
  showDocs: 'none',
  describeApi: 'none',
  readHealth: 'none',
  readReadiness: 'none',
  checkRoot: 'none',
  checkReadiness: 'none',
}

let own: Awaited<ReturnType<typeof ownKeys>>
const keys = new Map<string, string>()
const ids = { read: '', rotate: '', revoke: '' }
const keyOf = (scope: Scope, topic: string) => keys.get(`${scope} ${topic}`)

beforeAll(async () => {
  own = await ownKeys({ webhooks: ownWebhooks })
  await storeEvents(own.store, [event({ topic: 'orders.eu', eventId: '1' })])
  const other = (amount: number) =>
    event({ topic: 'orders.eu', eventId: '1', payload: `{"amount":${amount}}` })
  await storeEvents(own.store, [other(2), other(3)])
  const filter = { topic: 'orders.eu' }
  await startRedrive(own.store, { filter, asOf: 0, expect: 0, rate: 1 }, { actor: 'test' })
  const mailer = { topics: 'orders.eu', from: 'start' }
  const first = (await own.make()).text
  for (const name of ['mailer', 'orders']) {
    await own.ask(`/subscriptions/${name}`, first, { ...post(JSON.stringify(mailer)), method: 'PUT' })
  }
  const push = { ...mailer, kind: 'push', url: 'https://example.com', timeout_s: 1 }
  expect((await own.ask(hook, first, { ...post(JSON.stringify(push)), method: 'PUT' })).status).toBe(201)
  const definition = { name: 'totals', version: 1, hash: 'a', topics: ['orders.*'], topicRegex: /^orders/ }
  await registerProjection(own.store, { ...definition, keyed: false, initial: '{}' })
  for (const use of ['read', 'rotate', 'revoke'] as const) {
    ids[use] = (await own.make({ scopes: ['admin'], topics: ['orders.eu'] })).key.id
  }
  for (const scope of scopes) {
    for (const topic of ['>', 'payments.>']) {
      keys.set(`${scope} ${topic}`, (await own.make({ scopes: [scope], topics: [topic] })).text)
    }
  }
})
afterAll(() => own[Symbol.asyncDispose]())

for (const { id, method, path, scope } of routes) {
  const rule = rules[id]
  test(`${method} ${path}: ${scope}`, async () => {
    if (rule === 'none') {
      expect(scope).toBe('none')
      expect((await own.ask(path, undefined, { method })).status).not.toBe(401)
      return
    }
    const asked = typeof rule.path === 'string' ? rule.path : rule.path()
    const statusFor = async (key?: string) => (await own.ask(asked, key, { method, ...rule.init })).status
    expect(await statusFor()).toBe(401)
    expect(await statusFor(madeUp())).toBe(401)
    const enough = scope === 'any' ? scopes : [scope as Scope]
    for (const other of scopes.filter((one) => !enough.includes(one))) {
      expect(`${other} ${await statusFor(keyOf(other, '>'))}`).toBe(`${other} 403`)
    }
    for (const one of enough) {
      expect(await statusFor(keyOf(one, 'payments.>'))).toBe(rule.elsewhere)
      expect(await statusFor(keyOf(one, '>'))).toBe(rule.allowed)
    }
  })
}

test('what is refused is answered alike, whether it exists or not', async () => {
  const reader = keyOf('read', 'payments.>')
  const answers = async (...paths: string[]) =>
    await Promise.all(paths.map(async (path) => await (await own.ask(path, reader)).text()))
  for (const alike of [
    await answers('/events?topic=orders.eu', '/events?topic=nothing'),
    await answers('/events/orders.eu/1', '/events/nothing/1', '/events/orders.eu?event_id=2'),
    await answers('/tail?topic=orders.eu', '/tail?topic=nothing'),
    await answers('/dead-letters/c-1', '/dead-letters/c-99', '/dead-letters/nothing'),
    await answers('/projections/totals', '/projections/nothing', '/projections/totals/a'),
    await answers('/subscriptions/orders', '/subscriptions/nothing'),
    await answers('/dead-letters/d-1', '/dead-letters/d-99', '/dead-letters/c-1'),
  ]) {
    expect(new Set(alike).size).toBe(1)
    expect(alike[0]).toContain('"code":"forbidden"')
  }
})

test('a refusal says what the key may do', async () => {
  const detailOf = async (path: string, key?: string, init?: RequestInit) => {
    const response = await own.ask(path, key, init)
    expect(response.status).toBe(403)
    return [(await problemIn(response)).detail, response.headers.get('www-authenticate')]
  }
  const reader = keyOf('read', 'payments.>')
  expect(await detailOf('/events', reader)).toEqual([
    'All topics are not allowed: name one. The key may use payments.>.',
    null,
  ])
  expect(await detailOf('/events?topic=*', reader)).toEqual([
    'These topics are not allowed. The key may use payments.>.',
    null,
  ])
  expect(await detailOf('/publish', reader, post('no JSON'))).toEqual([
    'This needs the scope publish. The key has read.',
    'Bearer realm="sekali", error="insufficient_scope", scope="publish"',
  ])
})
