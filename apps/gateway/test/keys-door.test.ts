/** Who gets past the door where keys are asked for, and how those are answered who do not. */
import { once } from 'node:events'
import { request } from 'node:http'
import { announceKey } from '@sekali/broker/keys'
import { revokeKey, rotateKey } from '@sekali/store/change-keys'
import { findKeys } from '@sekali/store/keys'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { exchange } from './exchange.ts'
import { eventBody, post, problemIn } from './gateway.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { madeUp, renamed, retyped } from './retyped.ts'

const json = { 'Content-Type': 'application/json' }
const by = { actor: 'test' }
const never = { access: { refreshMs: 3_600_000 } }

test('without a key every path is answered alike, also one that there is not', async () => {
  await using own = await ownKeys()
  for (const [method, path] of [
    ['POST', '/publish'],
    ['GET', '/events'],
    ['GET', '/tail?topic=a'],
    ['HEAD', '/stats'],
    ['OPTIONS', '/publish'],
    ['PUT', '/publish'],
    ['POST', '/'],
    ['GET', '/no/such/path'],
    ['DELETE', '/topics/a'],
    ['GET', '/events/a/b'],
  ]) {
    const response = await own.ask(String(path), undefined, { method: String(method) })
    expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} 401`)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="sekali"')
    if (method !== 'HEAD') expect((await problemIn(response)).code).toBe('unauthorized')
  }
  const { text } = await own.make()
  expect((await own.ask('/no/such/path', text)).status).toBe(404)
  expect((await own.ask('/publish', text, { method: 'OPTIONS' })).status).toBe(204)
})

test('a check of health needs no key, and does not look at one', async () => {
  await using own = await ownKeys()
  for (const key of [undefined, madeUp(), 'nonsense']) {
    expect((await own.ask('/healthz', key)).status).toBe(200)
    expect((await own.ask('/healthz', key, { method: 'HEAD' })).status).toBe(200)
    for (const path of ['/readyz?verbose', '/readyz']) expect((await own.ask(path, key)).status).not.toBe(401)
    expect((await own.ask('/', key, { method: 'OPTIONS' })).status).not.toBe(401)
  }
  expect((await own.ask('/healthz', undefined, { method: 'POST' })).status).toBe(401)
  expect((await own.ask('/healthz/', undefined)).status).toBe(401)
})

test('a body that is announced, or asked for with Expect, does not come in without a key', async () => {
  await using own = await ownKeys()
  const head = 'POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  const body = eventBody()
  const length = `Content-Length: ${body.length}\r\n`
  expect(await exchange(own.url, `${head}${length}Connection: close\r\n\r\n${body}`)).toMatch(
    /^HTTP\/1.1 401 /,
  )
  expect(await exchange(own.url, `${head}Content-Length: 8000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 401 /)
  const expecting = await exchange(
    own.url,
    `${head}${length}Expect: 100-continue\r\nConnection: close\r\n\r\n${body}`,
  )
  expect(expecting).toMatch(/^HTTP\/1.1 401 /)
  const { text } = await own.make()
  const { port } = new URL(own.url)
  const call = request({
    port,
    path: '/publish',
    method: 'POST',
    headers: { ...bearer(text), ...json, Expect: '100-continue' },
  })
  call.flushHeaders()
  await once(call, 'continue')
  call.end('{')
  const [malformed] = await once(call, 'response')
  expect(malformed.statusCode).toBe(400)
  const stats = await own.ask('/stats', text)
  expect(await stats.json()).toMatchObject({ traffic_stats: { total_received_api: 0 } })
})

test('a request that nobody has let in may do nothing', async () => {
  await using own = await ownKeys()
  expect((await own.app.request('/stats')).status).toBe(403)
})

test.each([
  ['Basic c2VrYWxpOng=', 401, 'The only scheme'],
  ['sekali_x', 401, 'The only scheme'],
  ['Bearer', 401, 'The only scheme'],
  ['Bearer a b', 401, 'not valid here'],
  ['Bearer 💥', 401, ''],
  [`Bearer ${'a'.repeat(9_000)}`, 401, 'has more than 8192 characters'],
  ['Bearer sekali_4nJ2bWq8ZxT0_short', 401, 'not a whole key'],
  ['Bearer a.b.c', 401, 'not valid here'],
])('%s is no key', async (authorization, status, detail) => {
  await using own = await ownKeys()
  const value = Buffer.from(authorization).toString('latin1')
  const response = await own.ask('/stats', undefined, { headers: { Authorization: value } })
  expect(response.status).toBe(status)
  expect((await problemIn(response)).detail).toContain(detail)
})

test('one header alone says who it is', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const ask = (...lines: string[]) =>
    exchange(
      own.url,
      ['GET /stats HTTP/1.1', 'Host: a.localhost', ...lines, 'Connection: close', '', ''].join('\r\n'),
    )
  expect(await ask(`authorization: bEARER   ${text}  `)).toMatch(/^HTTP\/1.1 200 /)
  expect(await ask(`Authorization: Bearer ${text}`, `Authorization: Bearer ${text}`)).toMatch(
    /^HTTP\/1.1 400 /,
  )
  expect(await ask('Authorization: Bearer x', `AUTHORIZATION: Bearer ${text}`)).toMatch(/^HTTP\/1.1 400 /)
  expect((await own.ask(`/stats?access_token=${text}`)).status).toBe(401)
})

test('a key with a typo is found without asking PostgreSQL', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const typo = `${text.slice(0, 30)}${text[30] === 'a' ? 'b' : 'a'}${text.slice(31)}`
  const response = await own.ask('/stats', typo)
  expect((await problemIn(response)).detail).toContain('copy it again')
})

test('an unknown id, a wrong secret and one more wrong are answered alike, once and again', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  expect((await own.ask('/stats', text)).status).toBe(200)
  const answers = new Set<string>()
  for (const key of [madeUp(), renamed(text, '000000000000'), retyped(text, 0), retyped(text, -1)]) {
    for (const _ of [1, 2]) {
      const response = await own.ask('/stats', key, { headers: { 'X-Request-Id': 'mine' } })
      const headers = [...response.headers].filter(([name]) => name !== 'date')
      answers.add(JSON.stringify([response.status, headers, await response.text()]))
    }
  }
  expect([...answers]).toEqual([expect.stringContaining('not valid here')])
  expect([...answers][0]).toContain('error=\\"invalid_token\\"')
})

test('a revoked key is refused soon, also if no hint comes; whoever has all of it is told why', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50 } })
  const { key, text } = await own.make()
  expect((await own.ask('/stats', text)).status).toBe(200)
  await revokeKey(own.store, key.id, by)
  await eventually(async () => expect((await own.ask('/stats', text)).status).toBe(401))
  expect((await problemIn(await own.ask('/stats', text))).detail).toContain('has been revoked')
  expect((await problemIn(await own.ask('/stats', retyped(text, 3)))).detail).toContain('not valid here')
})

test('a hint makes it at once, and a hint of anything else does no harm', async () => {
  await using own = await ownKeys(never)
  const [gone, stays] = [await own.make(), await own.make()]
  for (const { text } of [gone, stays]) expect((await own.ask('/stats', text)).status).toBe(200)
  await revokeKey(own.store, gone.key.id, by)
  expect((await own.ask('/stats', gone.text)).status).toBe(200)
  await eventually(async () => {
    await announceKey(own.broker, stays.key.id) // a connection may not listen yet
    expect((await own.ask('/stats', gone.text)).status).toBe(401)
  })
  expect((await own.ask('/stats', stays.text)).status).toBe(200)
})

test('a key expires by itself, and an old one when another has taken its place', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50 } })
  const short = await own.make({ expiresAt: new Date(Date.now() + 1_500).toISOString() })
  expect((await own.ask('/stats', short.text)).status).toBe(200)
  const old = await own.make()
  expect((await own.ask('/stats', old.text)).status).toBe(200)
  const rotated = await rotateKey(own.store, old.key.id, 1, by)
  if (typeof rotated === 'string') throw new Error(rotated)
  expect((await own.ask('/stats', old.text)).status).toBe(200)
  for (const { text } of [short, old]) {
    await eventually(async () => expect((await own.ask('/stats', text)).status).toBe(401))
    expect((await problemIn(await own.ask('/stats', text))).detail).toContain('has expired')
  }
  expect((await own.ask('/stats', rotated.text)).status).toBe(200)
})

test('while PostgreSQL is away those that are known go on for a while, and nobody else is called wrong', async () => {
  await using own = await ownKeys({ access: { refreshMs: 50, graceMs: 2_000 } })
  const known = await own.make({ scopes: ['publish'] })
  const publish = (key: string) => own.ask('/publish', key, post(eventBody()))
  expect((await publish(known.text)).status).toBe(200)
  await own.withoutPostgres(async () => {
    expect((await publish(known.text)).status).toBe(200)
    const refused = await publish(madeUp())
    expect([refused.status, (await problemIn(refused)).code]).toEqual([503, 'store_unavailable'])
    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/)
    await eventually(async () => expect((await publish(known.text)).status).toBe(503))
  })
  await eventually(async () => expect((await publish(known.text)).status).toBe(200))
})

test('a flood of made-up keys has to wait, and whoever is known does not', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  expect((await own.ask('/stats', text)).status).toBe(200)
  const statuses = new Map<number, number>()
  for (let n = 0; n < 80; n++) {
    const { status, headers } = await own.ask('/stats', madeUp())
    if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  expect(statuses.get(401)).toBeGreaterThanOrEqual(50)
  expect(statuses.get(429)).toBeGreaterThan(0)
  expect((await own.ask('/stats', text)).status).toBe(200)
})

test('when a key was used last is noted now and then, and when the gateway leaves', async () => {
  await using own = await ownKeys({ access: { refreshMs: 20, noteMs: 50 } })
  const { key, text } = await own.make()
  const lastUsed = async () => (await findKeys(own.store, [key.id])).get(key.id)?.lastUsedAt
  expect(await lastUsed()).toBeNull()
  await own.ask('/stats', text)
  await eventually(async () => expect(await lastUsed()).not.toBeNull())
})

test('where no keys are asked for, one that is sent changes nothing', async () => {
  await using own = await ownKeys({ auth: 'off-on-purpose' })
  expect((await own.ask('/stats')).status).toBe(200)
  expect((await own.ask('/stats', madeUp())).status).toBe(200)
  expect(bearer('x')).toEqual({ Authorization: 'Bearer x' })
})
