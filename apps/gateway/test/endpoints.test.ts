/** Subscriptions whose events are sent: what administrators do with them, and what is shown. Nothing is sent here. */
import { askTest } from '@sekali/store/push-tests'
import { headersContext, secretContext, unseal } from '@sekali/webhook/seal'
import { isSecret } from '@sekali/webhook/sign'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { post, problemIn } from './gateway.ts'
import { ownKeys } from './own-keys.ts'
import { callsOf, ownSubscriptions } from './own-subscription.ts'
import { ownWebhooks } from './own-webhooks.ts'

let own: Awaited<ReturnType<typeof ownSubscriptions>>
beforeAll(async () => {
  own = await ownSubscriptions({ webhooks: ownWebhooks })
  await own.append('orders.eu', 1, 3)
})
afterAll(() => own[Symbol.asyncDispose]())

const url = 'https://shop.example/hooks'
const bodyOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>
const putPush = (name: string, fields: object = {}) =>
  own.put(name, { kind: 'push', topics: 'orders.>', url, ...fields })

test('an endpoint is made with a secret that is shown this once, found the same again, and changed', async () => {
  const made = await putPush('made')
  expect([made.status, made.headers.get('location')]).toEqual([201, 'made'])
  const { secret, ...shown } = await bodyOf(made)
  expect(isSecret(String(secret))).toBe(true)
  expect(shown).toMatchObject({
    ...{ name: 'made', kind: 'push', topics: 'orders.>', order: 'none', url, header_names: [] },
    ...{ concurrency: 10, rate_per_s: null, timeout_s: 15, body: 'standard', on_exhausted: 'skip' },
    batch_max: 1,
    ...{ retry_s: [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000], state: 'active', why: null, failures: 0 },
    ...{ held_until: null, success_rate: null, lag: 3, outstanding: 0, dead: 0 },
    secrets: [{ id: expect.any(Number), expires_at: null }],
  })
  const again = await putPush('made')
  expect([again.status, (await bodyOf(again)).secret]).toEqual([200, undefined])
  const changes = { url: `${url}/2`, concurrency: 2, rate_per_s: 7, batch_max: 500, retry_s: [1] }
  const changed = await putPush('made', changes)
  expect([changed.status, await bodyOf(changed)]).toMatchObject([200, { ...changes, timeout_s: 15 }])
  expect((await bodyOf(await own.send('GET', '/made'))).secret).toBeUndefined()
})

test('secrets and the values of headers lie sealed, and no answer has them', async () => {
  const headers = { Authorization: 'Bearer tr0ub4dor', 'X-Shop': 'eu' }
  const { secret } = await bodyOf(await putPush('sealed', { headers }))
  const texts = await Promise.all([
    own.send('GET', '/sealed'),
    own.send('GET', ''),
    own.send('GET', '/sealed/attempts'),
  ])
  for (const text of await Promise.all(texts.map((answer) => answer.text()))) {
    for (const hidden of [String(secret), 'tr0ub4dor']) expect(text).not.toContain(hidden)
  }
  expect((await own.show('sealed')).header_names).toEqual(['Authorization', 'X-Shop'])
  const { rows } = await own.store.pool.query<{ sealed: Buffer; headers: Buffer }>(
    `SELECT c.sealed, e.headers_sealed AS headers FROM subscriptions.subscriptions s
     JOIN subscriptions.secrets c ON c.subscription = s.id JOIN subscriptions.endpoints e ON e.subscription = s.id
     WHERE s.name = 'sealed'`,
  )
  const { key } = ownWebhooks
  const [row] = rows
  if (key === undefined || row === undefined) throw new Error('nothing is sealed')
  expect(unseal(key, row.sealed, secretContext('sealed'))).toBe(secret)
  expect(JSON.parse(unseal(key, row.headers, headersContext('sealed')))).toEqual(headers)
  // The order in which they are named is no change, and another value is one.
  const tagWith = async (more: object) => {
    expect((await putPush('sealed', { headers: more })).status).toBe(200)
    const tags = await own.store.pool.query<{ tag: string }>(
      `SELECT encode(headers_tag, 'hex') AS tag FROM subscriptions.endpoints
       WHERE subscription = (SELECT id FROM subscriptions.subscriptions WHERE name = 'sealed')`,
    )
    return tags.rows[0]?.tag
  }
  const before = await tagWith(headers)
  expect(await tagWith({ 'X-Shop': 'eu', Authorization: 'Bearer tr0ub4dor' })).toBe(before)
  expect(await tagWith({ 'X-Shop': 'us', Authorization: 'Bearer tr0ub4dor' })).not.toBe(before)
})

test.each<[path: string, fields: object]>([
  ['url', { url: 'ftp://shop.example' }],
  ['url', { url: 'http://shop.example@10.0.0.1/' }],
  ['url', { url: 'https://user:pass@shop.example' }],
  ['url', { url: 'https://[::ffff:169.254.169.254]/latest' }],
  ['url', { url: `https://shop.example/${'a'.repeat(2_048)}` }],
  ['url', { url: `https://shop.example/${'ä'.repeat(500)}` }],
  ['url', { url: undefined }],
  ['headers.Host', { headers: { Host: 'elsewhere' } }],
  ['headers.webhook-id', { headers: { 'webhook-id': '1' } }],
  ['headers.A', { headers: { A: 'a\r\nB: b' } }],
  ['concurrency', { concurrency: 0 }],
  ['concurrency', { concurrency: 201 }],
  ['timeout_s', { timeout_s: 61 }],
  ['retry_s', { retry_s: Array(20).fill(1) }],
  ['retry_s.0', { retry_s: [0] }],
  ['body', { body: 'xml' }],
  ['batch_max', { batch_max: 0 }],
  ['batch_max', { batch_max: 501 }],
  ['on_exhausted', { on_exhausted: 'retry' }],
  ['lease_s', { lease_s: 30 }],
  ['kind', { kind: 'shove' }],
])('what does not fit is refused, and named: %s', async (path, fields) => {
  const refused = await putPush('refused', fields)
  const { code, errors } = await problemIn(refused)
  expect([refused.status, code, errors?.[0]?.path]).toEqual([422, 'invalid_body', path])
  expect((await own.send('GET', '/refused')).status).toBe(404)
})

test('an address that is not public is refused, with what allows it; one that is allowed is taken', async () => {
  const refused = await problemIn(await putPush('inside', { url: 'https://10.1.2.3/' }))
  expect(refused.errors?.[0]?.message).toContain('WEBHOOK_ALLOW')
  expect((await putPush('loopback', { url: 'http://127.0.0.1:9/' })).status).toBe(201)
})

test('the kind stays, in both directions, and the routes of each are refused for the other', async () => {
  await putPush('sent')
  await own.put('pulled', { topics: 'orders.>' })
  const kinds = await Promise.all([own.put('sent', { topics: 'orders.>' }), putPush('pulled')])
  for (const refused of kinds) {
    const { code, errors } = await problemIn(refused)
    expect([refused.status, code, errors?.[0]?.path]).toEqual([409, 'immutable_field', 'kind'])
  }
  const codeOf = async (answer: Promise<Response>) => (await problemIn(await answer)).code
  expect(await codeOf(own.pull('sent'))).toBe('not_pull')
  const item = { token: '3q2-7wAAQACAAAAAAAAAAA.1.1.7.1.1', do: 'ack' }
  expect(await codeOf(own.send('POST', '/sent/settle', { items: [item] }))).toBe('not_pull')
  for (const [method, path] of [
    ['POST', 'test'],
    ['GET', 'attempts'],
    ['POST', 'secrets'],
    ['DELETE', 'secrets/1'],
    ['POST', 'deliveries/orders.eu/1/retry'],
  ] as const) {
    expect([path, await codeOf(own.send(method, `/pulled/${path}`))]).toEqual([path, 'not_push'])
    expect([path, await codeOf(own.send(method, `/nothing/${path}`))]).toEqual([path, 'unknown_subscription'])
  }
})

test('a secret is rotated: the old one ends in a day, an older one can be deleted, and the newest stays', async () => {
  const { secret: first } = await bodyOf(await putPush('rotated'))
  const rotated = await own.send('POST', '/rotated/secrets')
  const { id, secret, secrets } = (await rotated.json()) as {
    readonly id: number
    readonly secret: string
    readonly secrets: readonly { readonly id: number; readonly expires_at: string | null }[]
  }
  expect([rotated.status, isSecret(secret), secret === first]).toEqual([201, true, false])
  expect(secrets.map((one) => [one.id === id, one.expires_at === null])).toEqual([
    [true, true],
    [false, false],
  ])
  const hours = (Date.parse(String(secrets[1]?.expires_at)) - Date.now()) / 3_600_000
  expect(hours).toBeGreaterThan(23)
  expect(hours).toBeLessThan(25)
  const removed = await own.send('DELETE', `/rotated/secrets/${secrets[1]?.id}`)
  expect([removed.status, await removed.json()]).toEqual([200, { status: 'deleted', id: secrets[1]?.id }])
  const codeOf = async (path: string) =>
    (await problemIn(await own.send('DELETE', `/rotated/secrets/${path}`))).code
  expect(await codeOf(String(secrets[1]?.id))).toBe('unknown_secret')
  expect(await Promise.all(['x', '2147483648'].map(codeOf))).toEqual(['unknown_secret', 'unknown_secret'])
  expect(await codeOf(String(id))).toBe('last_secret')
  while ((await own.send('POST', '/rotated/secrets')).status === 201);
  expect((await problemIn(await own.send('POST', '/rotated/secrets'))).code).toBe('too_many_secrets')
})

test('without a dispatcher a test says so, and no more of them than five wait', async () => {
  await putPush('tested', { timeout_s: 1 })
  const refused = await own.send('POST', '/tested/test')
  expect([refused.status, (await problemIn(refused)).code]).toEqual([503, 'no_dispatcher'])
  expect(refused.headers.has('retry-after')).toBe(true)
  for (let asked = 1; asked < 5; asked++) await askTest(own.store, 'tested', { actor: 'test' })
  expect((await problemIn(await own.send('POST', '/tested/test'))).code).toBe('too_many_tests')
})

test('an event is sent again only if it is one of the subscription, and had its turn', async () => {
  await putPush('again')
  const codeOf = async (place: string) =>
    (await problemIn(await own.send('POST', `/again/deliveries/${place}/retry`))).code
  expect(await codeOf('orders.eu/1')).toBe('delivery_under_way')
  for (const place of ['orders.eu/99', 'nothing/1', 'orders.eu/0', 'orders.eu/x', 'orders.%2A/1']) {
    expect([place, await codeOf(place)]).toEqual([place, 'unknown_delivery'])
  }
})

test('attempts come newest first, page after page, and only what the query wants', async () => {
  await putPush('tried')
  await own.store.pool.query(`INSERT INTO subscriptions.attempts
      (subscription, at, kind, topic_id, epoch, seq, attempt, state, status, error, duration_ms, request, response, response_body, is_cut, retry_in_s)
    SELECT s.id, now(), 'event', t.id, 1, n, 1, CASE n WHEN 2 THEN 'failed' ELSE 'delivered' END,
      CASE n WHEN 2 THEN 503 ELSE 204 END, CASE n WHEN 2 THEN 'status 503' END, 12, '{"url":"${url}","headers":{"webhook-id":"evt_1"}}',
      '{"headers":{"set-cookie":["a","b"]}}', '<b>busy</b>', false, CASE n WHEN 2 THEN 5 END
    FROM subscriptions.subscriptions s, topics t, generate_series(1, 3) n WHERE s.name = 'tried' AND t.name = 'orders.eu'`)
  const page = await own.send('GET', '/tried/attempts?limit=2')
  const seqs = async (answer: Response) => ((await answer.json()) as { seq: number }[]).map(({ seq }) => seq)
  const next = /<(\?[^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
  expect(await seqs(page)).toEqual([3, 2])
  const last = await own.send('GET', `/tried/attempts${next}`)
  expect([last.headers.get('link'), await seqs(last)]).toEqual([null, [1]])
  const [failed] = (await (await own.send('GET', '/tried/attempts?state=failed')).json()) as object[]
  expect(failed).toMatchObject({
    ...{ kind: 'event', topic: 'orders.eu', seq: 2, attempt: 1, state: 'failed', status: 503, error: null },
    ...{ duration_ms: 12, retry_in_s: 5, request: { url, headers: { 'webhook-id': 'evt_1' } } },
    response: { headers: { 'set-cookie': ['a', 'b'] }, body: '<b>busy</b>', cut: false },
  })
  expect(await seqs(await own.send('GET', '/tried/attempts?topic=orders.eu&seq=3'))).toEqual([3])
  expect(await seqs(await own.send('GET', '/tried/attempts?topic=orders.us'))).toEqual([])
  const statusOf = async (query: string) => (await own.send('GET', `/tried/attempts?${query}`)).status
  expect(await Promise.all(['state=lost', 'limit=101', 'limit=100'].map(statusOf))).toEqual([422, 422, 200])
  expect((await own.show('tried')).success_rate).toBeCloseTo(2 / 3)
})

test('it is paused, resumed, sent back and deleted as others are; the audit log has it all, and no secret', async () => {
  const { secret } = await bodyOf(await putPush('kept', { headers: { Authorization: 'Bearer tr0ub4dor' } }))
  expect(await bodyOf(await own.send('POST', '/kept/pause'))).toMatchObject({ state: 'paused', kind: 'push' })
  expect(await bodyOf(await own.send('POST', '/kept/resume'))).toMatchObject({ state: 'active' })
  const sought = await own.send('POST', '/kept/seek', { from: 'now' })
  expect(await bodyOf(sought)).toMatchObject({ skipped: 3 })
  const { secret: second } = await bodyOf(await own.send('POST', '/kept/secrets'))
  expect((await own.send('DELETE', '/kept')).status).toBe(200)
  expect((await own.send('GET', '/kept/attempts')).status).toBe(404)
  const text = await (await fetch(`${own.url}/audit?limit=100`)).text()
  const audit = (JSON.parse(text) as Record<string, unknown>[]).filter(({ target }) => target === 'kept')
  expect(audit.length).toBeGreaterThanOrEqual(6)
  for (const hidden of [secret, second, 'tr0ub4dor']) expect(text).not.toContain(hidden)
})

test('whoever makes an endpoint must be allowed to read what it is sent', async () => {
  await using keys = await ownKeys({ webhooks: ownWebhooks })
  const body = { kind: 'push', topics: 'orders.>', url }
  const init = { ...post(JSON.stringify(body)), method: 'PUT' }
  const statusFor = async (scopes: readonly ('admin' | 'read')[]) => {
    const { text } = await keys.make({ scopes, topics: ['orders.>'] })
    const answer = await keys.ask('/subscriptions/mine', text, init)
    return [answer.status, answer.status === 201 ? '' : (await problemIn(answer)).detail]
  }
  expect(await statusFor(['admin'])).toEqual([403, 'This needs the scope read. The key has admin.'])
  expect(await statusFor(['admin', 'read'])).toEqual([201, ''])
})

test('a gateway without a key makes no endpoint, says what it lacks, and does all else', async () => {
  await using without = await ownSubscriptions({ webhooks: { allow: ownWebhooks.allow, key: undefined } })
  const calls = callsOf(without.url)
  const refused = await problemIn(await calls.put('none', { kind: 'push', topics: 'orders.>', url }))
  expect([refused.code, refused.detail]).toEqual([
    'no_webhook_key',
    expect.stringContaining('WEBHOOK_KEY_FILE'),
  ])
  expect((await calls.put('some', { topics: 'orders.>' })).status).toBe(201)
})
