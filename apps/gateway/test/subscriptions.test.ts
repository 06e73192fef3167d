/** What administrators do with subscriptions, and what is shown of them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { ownSubscriptions } from './own-subscription.ts'

let own: Awaited<ReturnType<typeof ownSubscriptions>>
beforeAll(async () => {
  own = await ownSubscriptions()
  await own.append('orders.eu', 1, 5)
  await own.append('orders.us', 1, 2)
})
afterAll(() => own[Symbol.asyncDispose]())

const bodyOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>

test('a subscription is made once, found the same again, and changed in what can change', async () => {
  const made = await own.put('mailer', { topics: 'orders.>' })
  expect([made.status, made.headers.get('location')]).toEqual([201, 'mailer'])
  expect(await made.json()).toMatchObject({
    name: 'mailer',
    kind: 'pull',
    topics: 'orders.>',
    order: 'none',
    source_batch: 1,
    lease_s: 30,
    outstanding_max: 1_000,
    deliveries_max: 5,
    backoff_s: [1, 5, 30, 120],
    on_exhausted: 'skip',
    state: 'active',
    lag: 7,
    lag_is_bound: false,
    outstanding: 0,
    dead: 0,
    blocked: [],
  })
  expect((await own.put('mailer', { topics: 'orders.>' })).status).toBe(200)
  const changed = await own.put('mailer', { topics: 'orders.>', lease_s: 60, backoff_s: [] })
  expect([changed.status, await changed.json()]).toMatchObject([200, { lease_s: 60, backoff_s: [] }])
  expect((await own.show('mailer')).lease_s).toBe(60)
})

test.each<[field: string, fields: object]>([
  ['topics', { topics: 'orders.eu' }],
  ['order', { topics: 'orders.>', order: 'source' }],
  ['filter', { topics: 'orders.>', filter: { sources: ['shop'] } }],
])('%s cannot be changed: 409, which names it', async (field, fields) => {
  await own.put('fixed', { topics: 'orders.>' })
  const refused = await own.put('fixed', fields)
  const { code, errors } = await problemIn(refused)
  expect([refused.status, code, errors?.map(({ path }) => path)]).toEqual([409, 'immutable_field', [field]])
  expect((await own.show('fixed')).topics).toBe('orders.>')
})

test.each<[path: string, body: object | string]>([
  ['topics', {}],
  ['topics', { topics: 'orders.>.eu' }],
  ['lease_s', { topics: 'a', lease_s: 0 }],
  ['lease_s', { topics: 'a', lease_s: 3_601 }],
  ['outstanding_max', { topics: 'a', outstanding_max: 10_001 }],
  ['backoff_s', { topics: 'a', backoff_s: Array(21).fill(1) }],
  ['backoff_s.0', { topics: 'a', backoff_s: [-1] }],
  ['order', { topics: 'a', order: 'random' }],
  ['filter.payload', { topics: 'a', filter: { payload: {} } }],
  ['filter.payload.status', { topics: 'a', filter: { payload: { status: ['paid'] } } }],
  ['filter.payload./a.0', { topics: 'a', filter: { payload: { '/a': ['\0'] } } }],
  ['filter.payload./a.0', { topics: 'a', filter: { payload: { '/a': ['\ud800'] } } }],
  ['filter.payload./\0', { topics: 'a', filter: { payload: { '/\0': ['a'] } } }],
  ['filter.sources', { topics: 'a', filter: { sources: [] } }],
  ['from', { topics: 'a', from: 'yesterday' }],
  ['from', { topics: 'a', from: '1.2_3.4' }],
  ['from', { topics: 'a.>', from: '12' }],
  ['url', { topics: 'a', url: 'http://localhost' }],
])('what does not fit is refused, and named: %s', async (path, body) => {
  const refused = await own.send('PUT', '/refused', body)
  const { code, errors } = await problemIn(refused)
  expect([refused.status, code, errors?.[0]?.path]).toEqual([422, 'invalid_body', path])
  expect((await own.send('GET', '/refused')).status).toBe(404)
})

test('a name is one as topics have', async () => {
  for (const name of ['a..b', 'a%20b', 'a%3E', 'x'.repeat(129)]) {
    const refused = await own.send('PUT', `/${name}`, { topics: 'a' })
    expect([name, refused.status, (await problemIn(refused)).errors?.[0]?.path]).toEqual([name, 422, 'name'])
    expect((await own.send('GET', `/${name}`)).status).toBe(404)
  }
})

test.each<[from: string, seqs: readonly number[]]>([
  ['start', [1, 2, 3, 4, 5]],
  ['3', [4, 5]],
  ['now', []],
  ['2025-12-08T10:00:00Z', [1, 2, 3, 4, 5]],
  ['2999-01-01T00:00:00Z', []],
])('it begins where it was asked to: %s', async (from, seqs) => {
  const name = `from-${from.replaceAll(/[^\w]/g, '-')}`
  expect((await own.put(name, { topics: 'orders.eu', from })).status).toBe(201)
  const answer = await own.pull(name)
  const got = answer.status === 204 ? [] : ((await bodyOf(answer)).items as { event: { seq: number } }[])
  expect(got.map(({ event }) => event.seq)).toEqual(seqs)
})

test('of a pattern it begins behind a place of each topic, and a place that is not there is refused', async () => {
  await own.put('places', { topics: 'orders.*', from: 'orders.eu:4,orders.us:1' })
  const { items } = await own.pulled('places')
  expect(items.map(({ event }) => `${event.topic}:${event.seq}`).sort()).toEqual([
    'orders.eu:5',
    'orders.us:2',
  ])
  const refused = await own.put('ahead', { topics: 'orders.eu', from: '7.1' })
  expect([refused.status, (await problemIn(refused)).code]).toEqual([422, 'cursor_ahead'])
})

test('the list is by name, and goes on behind a name', async () => {
  for (const name of ['z-3', 'z-1', 'z-2']) await own.put(name, { topics: 'orders.eu' })
  const first = await own.send('GET', '?after=z&limit=2')
  const names = async (page: Response) => ((await page.json()) as { name: string }[]).map(({ name }) => name)
  expect(first.headers.get('link')).toBe('<?limit=2&after=z-2>; rel="next"')
  expect(await names(first)).toEqual(['z-1', 'z-2'])
  const last = await own.send('GET', '?limit=2&after=z-2')
  expect([await names(last), last.headers.get('link')]).toEqual([['z-3'], null])
  expect((await own.send('GET', '?limit=0')).status).toBe(422)
})

test('a paused one hands out nothing, and what is out can be settled', async () => {
  await own.put('paused', { topics: 'orders.eu' })
  const { items } = await own.pulled('paused', { max: 1 })
  expect(await bodyOf(await own.send('POST', '/paused/pause'))).toMatchObject({ state: 'paused', lag: 5 })
  const refused = await own.pull('paused')
  expect([refused.status, (await problemIn(refused)).code]).toEqual([409, 'subscription_paused'])
  expect(refused.headers.has('retry-after')).toBe(true)
  expect(await own.settle('paused', [{ token: items[0]?.token, do: 'ack' }])).toEqual(['done'])
  expect(await bodyOf(await own.send('POST', '/paused/resume'))).toMatchObject({ state: 'active', lag: 4 })
  expect((await own.pulled('paused', { max: 1 })).items[0]?.event.seq).toBe(2)
})

test('a seek says first what it would do, and then tokens of before are lost', async () => {
  await own.put('sought', { topics: 'orders.eu' })
  const { items, token } = await own.pulled('sought')
  await own.settle('sought', [{ token: items[0]?.token, do: 'ack' }])
  const dry = await own.send('POST', '/sought/seek', { from: 'start', dry_run: true })
  expect(await dry.json()).toEqual({ dry_run: true, lost: 4, again: 5, skipped: 0 })
  expect((await own.show('sought')).outstanding).toBe(4)
  const moved = await own.send('POST', '/sought/seek', { from: 'start' })
  expect(await moved.json()).toMatchObject({ dry_run: false, again: 5 })
  expect(await own.settle('sought', [{ token, do: 'ack' }])).toEqual(['lease_lost'])
  expect((await own.pulled('sought')).items.map(({ event }) => event.seq)).toEqual([1, 2, 3, 4, 5])
  const refused = await own.send('POST', '/sought/seek', { from: 'nowhere' })
  expect([refused.status, (await problemIn(refused)).errors?.[0]?.path]).toEqual([422, 'from'])
})

test('one that was deleted is gone for all routes, and may be made anew', async () => {
  await own.put('gone', { topics: 'orders.eu' })
  const deleted = await own.send('DELETE', '/gone')
  expect([deleted.status, await deleted.json()]).toEqual([200, { status: 'deleted', name: 'gone' }])
  const answers = await Promise.all([
    own.send('GET', '/gone'),
    own.pull('gone'),
    own.send('POST', '/gone/settle', { items: [{ token: 'a', do: 'ack' }] }),
    own.send('POST', '/gone/pause'),
    own.send('POST', '/gone/seek', { from: 'now' }),
    own.send('DELETE', '/gone'),
  ])
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(404))
  expect((await problemIn(answers[0] as Response)).code).toBe('unknown_subscription')
  expect((await own.put('gone', { topics: 'orders.us' })).status).toBe(201)
  expect((await own.pulled('gone')).items.map(({ event }) => event.topic)).toEqual(['orders.us', 'orders.us'])
})

test('whatever an administrator does is in the audit log', async () => {
  await own.put('audited', { topics: 'orders.eu' })
  await own.put('audited', { topics: 'orders.eu', lease_s: 5 })
  await own.send('POST', '/audited/pause')
  await own.send('POST', '/audited/resume')
  await own.send('POST', '/audited/seek', { from: 'start' })
  await own.send('DELETE', '/audited')
  const audit = (await (await fetch(`${own.url}/audit?limit=100`)).json()) as Record<string, unknown>[]
  const actions = audit.filter(({ target }) => target === 'audited').map(({ action }) => action)
  expect(actions).toHaveLength(6)
  expect(new Set(actions).size).toBeGreaterThanOrEqual(5)
})
