/** The routes of keys. */
import { Key, KeyWithText } from '@sekali/api/key'
import { listenToKeys } from '@sekali/broker/keys'
import { eventually } from '@sekali/testkit/eventually'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { nextOf } from './links.ts'
import { type KeyedGateway, serveWithKeys } from './with-keys.ts'

let system: KeyedGateway
beforeAll(async () => {
  system = await serveWithKeys()
})
afterAll(() => system[Symbol.asyncDispose]())

const shop = { name: 'shop', scopes: ['publish'], topics: ['orders.>'] }
const send = (...args: Parameters<KeyedGateway['send']>) => system.send(...args)
const asFirst = (method: string, path: string, body?: unknown) => send(system.first, method, path, body)
const json = async (response: Response) => (await response.json()) as Record<string, unknown>
const latest = async () =>
  (await (await asFirst('GET', '/audit?limit=1')).json()) as Record<string, unknown>[]

test('a key is made once, shown once, and looked at ever after', async () => {
  const expires_at = '2999-01-01T00:00:00+00:00'
  const wanted = { ...shop, source: 'shop', events_per_second: 5, bytes_per_second: 1e9, expires_at }
  const answer = await asFirst('POST', '/keys', wanted)
  expect(answer.status).toBe(201)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const { key, ...made } = await json(answer)
  expect(v.is(v.strictObject(KeyWithText.entries), { key, ...made })).toBe(true)
  expect(made).toMatchObject({ ...wanted, status: 'live', expires_at: '2999-01-01T00:00:00.000000Z' })
  expect(new URL(String(answer.headers.get('location')), 'http://host/prefix/keys').pathname).toBe(
    `/prefix/keys/${made.id}`,
  )
  const shown = await json(await asFirst('GET', `/keys/${made.id}`))
  expect(shown).toEqual(made)
  expect(v.is(v.strictObject(Key.entries), shown)).toBe(true)
  expect(await latest()).toMatchObject([
    {
      actor: made.created_by,
      client: '127.0.0.1',
      action: 'key_created',
      target: made.id,
      details: { name: 'shop' },
    },
  ])
  expect(String(key).split('_')[1]).toBe(made.id)
})

test('keys come in pages that lead to each other', async () => {
  for (let n = 0; n < 3; n++) await system.make({ name: `k${n}` })
  const names: unknown[] = []
  for (let path: string | undefined = '/keys?limit=2'; path; ) {
    const answer = await asFirst('GET', path)
    for (const { name } of (await answer.json()) as { name: string }[]) names.push(name)
    path = nextOf(path, answer)
  }
  expect(names).toEqual(expect.arrayContaining(['first', 'k0', 'k1', 'k2']))
  expect(names[0]).toBe('first')
  expect(names.slice(-3)).toEqual(['k0', 'k1', 'k2'])
  for (const path of ['/keys?after=nobody', '/keys?after=aaaaaaaaaaaa', '/keys?limit=0', '/keys?x=1']) {
    expect(await problemIn(await asFirst('GET', path))).toMatchObject({
      status: 422,
      code: 'invalid_parameters',
    })
  }
})

test('a rotated key has a successor, and the hint goes out', async () => {
  const { id } = await system.make({ source: 'shop' })
  const heard: string[] = []
  await using _listener = listenToKeys(system.gateway.broker, (one) => heard.push(one))
  await eventually(async () => {
    const found = await system.gateway.broker.redis.pubsub('NUMSUB', `${system.gateway.broker.prefix}:keys`)
    expect(found[1]).toBe(1)
  })
  const answer = await asFirst('POST', `/keys/${id}/rotate`, { old_expires_in_seconds: 3_600 })
  expect(answer.status).toBe(201)
  const next = await json(answer)
  expect(next).toMatchObject({ name: 'shop', source: 'shop', successor: null })
  expect(
    new URL(String(answer.headers.get('location')), `http://host/prefix/keys/${id}/rotate`).pathname,
  ).toBe(`/prefix/keys/${next.id}`)
  const old = await json(await asFirst('GET', `/keys/${id}`))
  expect(old).toMatchObject({ status: 'live', successor: next.id })
  const seconds = (Date.parse(String(old.expires_at)) - Date.parse(String(next.created_at))) / 1_000
  expect(Math.round(seconds)).toBe(3_600)
  const again = await asFirst('POST', `/keys/${id}/rotate`, { old_expires_in_seconds: 0 })
  expect(await problemIn(again)).toMatchObject({ status: 409, code: 'key_succeeded' })
  await eventually(() => expect(heard).toEqual([id]))
})

test('a revoked key is revoked for good, and to revoke it again is no error', async () => {
  const { id } = await system.make()
  const first = await json(await asFirst('DELETE', `/keys/${id}`))
  expect(first).toMatchObject({ id, status: 'revoked' })
  expect(await json(await asFirst('DELETE', `/keys/${id}`))).toEqual(first)
  const rotated = await asFirst('POST', `/keys/${id}/rotate`, { old_expires_in_seconds: 0 })
  expect(await problemIn(rotated)).toMatchObject({ status: 409, code: 'key_ended' })
})

test.each(['/keys/nobody', '/keys/aaaaaaaaaaaa'])('there is no %s', async (path) => {
  const body = { old_expires_in_seconds: 0 }
  for (const answer of [
    await asFirst('GET', path),
    await asFirst('DELETE', path),
    await asFirst('POST', `${path}/rotate`, body),
  ]) {
    expect(await problemIn(answer)).toMatchObject({ status: 404, code: 'unknown_access_key' })
  }
})

test.each<[unknown, string, string]>([
  [{}, 'name', 'missing_field'],
  [[], '', 'invalid_body'],
  ['null', '', 'invalid_body'],
  [{ ...shop, name: '' }, 'name', 'invalid_name'],
  [{ ...shop, name: 'a\u001b[31m' }, 'name', 'invalid_name'],
  [{ ...shop, name: '\u202e' }, 'name', 'invalid_name'],
  [{ ...shop, scopes: [] }, 'scopes', 'invalid_scopes'],
  [{ ...shop, scopes: ['all'] }, 'scopes.0', 'invalid_scopes'],
  [{ ...shop, scopes: ['read', 'read'] }, 'scopes', 'invalid_scopes'],
  [{ ...shop, scopes: 'read' }, 'scopes', 'invalid_scopes'],
  [{ ...shop, topics: [] }, 'topics', 'invalid_topics'],
  [{ ...shop, topics: ['a', 'a..b'] }, 'topics.1', 'invalid_topics'],
  [{ ...shop, topics: Array(33).fill('a') }, 'topics', 'invalid_topics'],
  [{ ...shop, source: '' }, 'source', 'invalid_source'],
  [{ ...shop, scopes: ['read'], source: 'shop' }, 'source', 'invalid_source'],
  [{ ...shop, events_per_second: 0 }, 'events_per_second', 'invalid_events_per_second'],
  [{ ...shop, bytes_per_second: 1.5 }, 'bytes_per_second', 'invalid_bytes_per_second'],
  [{ ...shop, expires_at: 'soon' }, 'expires_at', 'invalid_expires_at'],
  [{ ...shop, expires_at: '2020-01-01T00:00:00Z' }, 'expires_at', 'invalid_expires_at'],
  [{ ...shop, key: 'sekali_mine' }, 'key', 'unknown_field'],
  ['{"__proto__":{}}', '__proto__', 'unknown_field'],
])('a key of %j is refused by the path of what does not fit', async (body, path, code) => {
  const problem = await problemIn(await asFirst('POST', '/keys', body))
  expect(problem).toMatchObject({ status: 422, code: 'invalid_key' })
  expect(problem.errors).toContainEqual({ path, code, message: expect.any(String) })
})

test('a source bounds who publishes or makes keys, and nobody else has one', async () => {
  const admin = { ...shop, scopes: ['publish', 'read', 'admin'], source: 'shop' }
  const { key } = await json(await asFirst('POST', '/keys', admin))
  const statusOf = async (body: unknown) => (await send(String(key), 'POST', '/keys', body)).status
  expect(await statusOf({ ...shop, scopes: ['read'] })).toBe(201)
  expect(await statusOf({ ...shop, scopes: ['admin'] })).toBe(403)
  expect(await statusOf({ ...shop, scopes: ['admin'], source: 'shop' })).toBe(201)
  expect(await statusOf(shop)).toBe(403)
})

test.each([-1, 604_801, 1.5, '1h', null, undefined])('an old key does not expire in %j', async (value) => {
  const { id } = await system.make()
  const answer = await asFirst('POST', `/keys/${id}/rotate`, { old_expires_in_seconds: value })
  const { code, errors } = await problemIn(answer)
  expect([code, errors?.[0]?.path]).toEqual(['invalid_key', 'old_expires_in_seconds'])
})

test('a body that is no JSON, of another type, coded or too large is refused', async () => {
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const { status, code } = await problemIn(await send(system.first, 'POST', '/keys', body, headers))
    return `${status} ${code}`
  }
  expect(await post('{"name":')).toBe('400 malformed_json')
  expect(await post('')).toBe('400 malformed_json')
  expect(await post('{}', { 'Content-Type': 'application/x-ndjson' })).toBe('415 unsupported_media_type')
  expect(await post('{}', { 'Content-Encoding': 'gzip' })).toBe('415 unsupported_encoding')
  expect(await post(JSON.stringify({ ...shop, name: 'x'.repeat(20_000) }))).toBe('413 body_too_large')
  const problem = await problemIn(await asFirst('POST', '/projections/none/rebuild', '{}'))
  expect(problem.code, 'where no body is wanted, a small one is thrown away').toBe('unknown_projection')
})

test('nobody makes, sees, rotates or revokes a key that may do more than their own', async () => {
  const own = {
    name: 'team',
    scopes: ['admin', 'publish'],
    topics: ['orders.>', 'users.*'],
    source: 'team',
    events_per_second: 10,
    bytes_per_second: 1_000,
  }
  const team = await system.make(own)
  const bySelf = (method: string, path: string, body?: unknown) => send(team.key, method, path, body)
  const refusedFields = async (body: object) => {
    const { status, code, errors = [] } = await problemIn(await bySelf('POST', '/keys', body))
    expect([status, code]).toEqual([403, 'forbidden'])
    return errors.map(({ path }) => path)
  }
  expect(await refusedFields({ ...own, scopes: ['publish', 'read'] })).toEqual(['scopes'])
  expect(await refusedFields({ ...own, topics: ['orders.eu', '>', 'users.>'] })).toEqual([
    'topics.1',
    'topics.2',
  ])
  expect(await refusedFields({ ...own, source: 'other' })).toEqual(['source'])
  const { source, events_per_second, bytes_per_second, ...unbound } = own
  expect(await refusedFields(unbound)).toEqual(['source', 'events_per_second', 'bytes_per_second'])
  expect(await refusedFields({ ...own, events_per_second: 11 })).toEqual(['events_per_second'])

  const within = { ...own, topics: ['orders.eu.*', 'users.a'], scopes: ['publish'], bytes_per_second: 999 }
  const answer = await bySelf('POST', '/keys', within)
  expect(answer.status).toBe(201)
  const child = (await json(answer)).id
  expect(await json(await bySelf('GET', `/keys/${child}`))).toMatchObject({ created_by: team.id })

  const other = await system.make({ topics: ['secrets'] })
  for (const [method, path, body] of [
    ['GET', `/keys/${other.id}`, undefined],
    ['DELETE', `/keys/${other.id}`, undefined],
    ['POST', `/keys/${other.id}/rotate`, { old_expires_in_seconds: 0 }],
  ] as const) {
    expect(await problemIn(await bySelf(method, path, body))).toMatchObject({
      status: 403,
      code: 'forbidden',
    })
  }
  const seen = (await (await bySelf('GET', '/keys')).json()) as { id: string }[]
  expect(new Set(seen.map(({ id }) => id))).toEqual(new Set([team.id, child]))
  expect(await json(await asFirst('GET', `/keys/${other.id}`))).toMatchObject({
    status: 'live',
    successor: null,
  })
  expect((await bySelf('GET', '/audit')).status).toBe(403)
  const itself = await bySelf('POST', `/keys/${team.id}/rotate`, { old_expires_in_seconds: 60 })
  expect(itself.status).toBe(201)
})

test('no answer but the one that makes it has a key, and PostgreSQL has none', async () => {
  const { key, id } = await system.make({ name: 'planted' })
  const secret = String(key.split('_')[2])
  const next = await json(await asFirst('POST', `/keys/${id}/rotate`, { old_expires_in_seconds: 60 }))
  const texts = await Promise.all(
    [`/keys/${id}`, '/keys?limit=1000', '/audit?limit=1000', `/keys/${key}`, `/audit?after=${key}`].map(
      async (path) => await (await asFirst('GET', path)).text(),
    ),
  )
  texts.push(await (await asFirst('POST', '/keys', { ...shop, [key]: key })).text())
  const { rows } = await system.gateway.store.pool.query(
    `SELECT k::text AS row FROM access.keys k UNION ALL SELECT e::text FROM audit.entries e`,
  )
  texts.push(JSON.stringify(rows))
  const all = texts.join('\n')
  expect(all).toContain(id)
  expect(all).not.toContain(String(next.key).split('_')[2])
  expect(all.replaceAll(`"path":"${key}"`, '')).not.toContain(secret)
})
