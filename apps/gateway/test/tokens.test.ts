/** Tokens of an issuer, in place of keys. */
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokens } from '../src/access/tokens.ts'
import { eventBody, post, problemIn } from './gateway.ts'
import { startIssuer } from './issuer.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { openTail } from './sse.ts'

let issuer: Awaited<ReturnType<typeof startIssuer>>
let own: Awaited<ReturnType<typeof ownKeys>>
beforeAll(async () => {
  issuer = await startIssuer()
  const tokens = { issuer: issuer.name, audience: 'sekali', jwks: { url: issuer.url } }
  own = await ownKeys({ access: { refreshMs: 50, tokens } })
})
afterAll(async () => {
  await own[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

const reader = { sub: 'ada', scope: 'read other', sekali_topics: ['orders.>'] }

test.each(['RS256', 'ES256', 'EdDSA'])(
  'a token that is signed with %s is let in, as far as it says',
  async (alg) => {
    const token = await issuer.sign(reader, { alg })
    expect((await own.ask('/events?topic=orders.eu', token)).status).toBe(200)
    expect((await own.ask('/events?topic=payments', token)).status).toBe(403)
    expect((await own.ask('/publish', token, post(eventBody()))).status).toBe(403)
  },
)

test('its source is bound, and a key of our own is let in beside it', async () => {
  const claims = { scope: 'publish', sekali_topics: ['orders'], sekali_source: 'shop' }
  const token = await issuer.sign(claims)
  expect((await own.ask('/publish', token, post(eventBody({ source: 'shop' })))).status).toBe(200)
  expect((await own.ask('/publish', token, post(eventBody({ source: 'else' })))).status).toBe(403)
  expect((await own.ask('/events', (await own.make()).text)).status).toBe(200)
})

test('an administrator with a token makes keys that end by then, and revokes any', async () => {
  const token = await issuer.sign({ sub: 'ada', scope: 'admin read', sekali_topics: ['>'] })
  const create = (expires_at?: string) =>
    own.ask('/keys', token, post(JSON.stringify({ name: 'k', scopes: ['read'], topics: ['a'], expires_at })))
  const refused = await problemIn(await create())
  expect(refused).toMatchObject({ status: 403, errors: [{ path: 'expires_at', code: 'beyond_own_key' }] })
  expect((await create(new Date(Date.now() + 3_600_000).toISOString())).status).toBe(403)
  expect((await create(new Date(Date.now() + 60_000).toISOString())).status).toBe(201)
  const { key } = await own.make({ scopes: ['read'] })
  expect((await own.ask(`/keys/${key.id}`, token, { method: 'DELETE' })).status).toBe(200)
})

test('without topics or scopes it opens nothing', async () => {
  expect((await own.ask('/events?topic=a', await issuer.sign({ scope: 'read' }))).status).toBe(403)
  const scoped = await issuer.sign({ sekali_topics: ['>'] })
  expect((await own.ask('/events?topic=a', scoped)).status).toBe(403)
})

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const inMinutes = (minutes: number) => Math.floor(Date.now() / 1_000) + 60 * minutes
const claims = () => ({ ...reader, iss: issuer.name, aud: 'sekali', exp: inMinutes(5) })

test.each<[string, () => string | Promise<string>, string]>([
  ['no signature (alg none)', () => `${part({ alg: 'none' })}.${part(claims())}.`, 'algorithm'],
  [
    'the public key as a shared secret (HS256)',
    () => {
      const signed = `${part({ alg: 'HS256', kid: 'k-RS256' })}.${part(claims())}`
      const secret = JSON.stringify(issuer.keys[0])
      return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
    },
    'algorithm',
  ],
  ['another issuer', () => issuer.sign(reader, { issuer: 'https://evil.example' }), 'JWT_ISSUER'],
  ['another audience', () => issuer.sign(reader, { audience: 'other' }), 'JWT_AUDIENCE'],
  ['no audience', () => issuer.sign(reader, { audience: '' }), 'JWT_AUDIENCE'],
  ['a key that the issuer has not', () => issuer.sign(reader, { kid: 'unknown' }), 'key of the issuer'],
  ['a time that is over', () => issuer.sign(reader, { expires: '-5m' }), 'has expired'],
  ['no exp', () => issuer.sign(reader, { expires: undefined }), 'exp must be there'],
  ['a time to come', () => issuer.sign({ ...reader, nbf: inMinutes(5) }), 'nbf is still to come'],
  ['topics that are none', () => issuer.sign({ ...reader, sekali_topics: ['a..b'] }), 'sekali_topics'],
  ['topics in a text', () => issuer.sign({ ...reader, sekali_topics: '>' }), 'sekali_topics'],
  ['a source that is none', () => issuer.sign({ ...reader, sekali_source: '' }), 'sekali_source'],
  ['too much in it', () => issuer.sign({ ...reader, more: 'x'.repeat(7_000) }), '8192 characters'],
  ['another signature', async () => `${(await issuer.sign(reader)).slice(0, -8)}AAAAAAAA`, 'not signed by'],
  [
    'an exp that is no time',
    async () => await issuer.sign({ ...reader, exp: Number.MAX_VALUE }, { expires: undefined }),
    'exp',
  ],
  ['admin, and nobody named', () => issuer.sign({ scope: 'admin' }), 'sub'],
  ['no JSON', () => 'a.b.c', 'no token that this gateway can read'],
  ['one part', () => 'abc', 'no token that this gateway can read'],
])('a token with %s is refused in words', async (_, make, words) => {
  const response = await own.ask('/events?topic=orders.eu', await make())
  expect(response.status).toBe(401)
  const { code, detail } = await problemIn(response)
  expect([code, detail]).toEqual(['unauthorized', expect.stringContaining(words)])
})

test('a token is verified once, and ends what is open when it expires', async () => {
  const soon = Math.floor(Date.now() / 1_000) - 28 // 30 s are forgiven
  const token = await issuer.sign({ ...reader, exp: soon }, { expires: undefined })
  using tail = openTail(own.url, 'topic=orders.eu', bearer(token))
  expect((await tail.answered).statusCode).toBe(200)
  await tail.over
  expect(tail.text).toContain('has expired')
  expect((await own.ask('/events?topic=orders.eu', token)).status).toBe(401)
})

test('while the issuer is away nobody is called wrong, and who is known goes on', async () => {
  const away = await startIssuer()
  await using _away = away
  const tokens = { issuer: away.name, audience: 'sekali', jwks: { url: away.url } }
  await using one = await ownKeys({ access: { tokens } })
  away.setAway(true)
  const token = await away.sign(reader)
  const refused = await one.ask('/events?topic=orders.eu', token)
  expect([refused.status, (await problemIn(refused)).code]).toEqual([503, 'issuer_unavailable'])
  away.setAway(false)
  await eventually(async () => expect((await one.ask('/events?topic=orders.eu', token)).status).toBe(200))
  away.setAway(true)
  expect((await one.ask('/events?topic=orders.eu', token)).status).toBe(200)
})

test('made-up tokens have to wait', async () => {
  await using one = await ownKeys({
    access: { tokens: { issuer: issuer.name, audience: 'sekali', jwks: { url: issuer.url } } },
  })
  const statuses = new Set<number>()
  for (let n = 0; n < 80; n++) statuses.add((await one.ask('/events?topic=a', `a${n}.b.c`)).status)
  expect([...statuses].sort()).toEqual([401, 429])
})

test('the keys of an issuer may be a file, with scopes of its own spelling', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jwks-'))
  try {
    const file = join(folder, 'jwks.json')
    await writeFile(file, JSON.stringify({ keys: issuer.keys }))
    const options = { issuer: issuer.name, audience: 'sekali', jwks: { file } }
    const verify = createTokens({ ...options, scopePrefix: 'sekali:', algorithms: ['ES256'] })
    const { grant } = await verify(await issuer.sign({ ...reader, scope: 'sekali:read publish' }))
    expect(grant).toMatchObject({ holder: 'jwt:ada', scopes: ['read'], topics: [{ text: 'orders.>' }] })
    const rs256 = await issuer.sign(reader, { alg: 'RS256' })
    await expect(verify(rs256)).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('algorithm'),
    })
    await writeFile(file, '{"keys":{}}')
    expect(() => createTokens(options)).toThrow('JWT_JWKS_FILE')
    expect(() => createTokens({ ...options, jwks: { file: join(folder, 'none') } })).toThrow('JWT_JWKS_FILE')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a holder is named so that no other one has the name', async () => {
  const verify = createTokens({ issuer: issuer.name, audience: 'sekali', jwks: { url: issuer.url } })
  const holderOf = async (sub: string) => (await verify(await issuer.sign({ ...reader, sub }))).grant.holder
  expect(await holderOf('ada@x.example')).toBe('jwt:ada@x.example')
  expect(await holderOf('é')).toBe('jwt:%C3%A9')
  expect(await holderOf('%C3%A9')).toBe('jwt:%25C3%25A9')
  expect(await holderOf('a\ud800')).toBe('jwt:a%EF%BF%BD')
})

test('a key of the issuer that is too weak is refused at the start, or refuses the token', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 })
  const weak = { ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' }
  const file = join(await mkdtemp(join(tmpdir(), 'jwks-')), 'jwks.json')
  await writeFile(file, JSON.stringify({ keys: [weak] }))
  const options = { issuer: issuer.name, audience: 'sekali' }
  expect(() => createTokens({ ...options, jwks: { file } })).toThrow(/JWT_JWKS_FILE.*2048/)
  await rm(dirname(file), { recursive: true })
  await using other = await startIssuer([weak])
  const verify = createTokens({ ...options, jwks: { url: other.url } })
  const forged = `${part({ alg: 'RS256', kid: 'weak' })}.${part(claims())}.AAAA`
  await expect(verify(forged)).rejects.toMatchObject({ code: 'unauthorized' })
  other.setAway(true)
  const unknown = createTokens({ ...options, jwks: { url: other.url } })
  await expect(unknown(forged)).rejects.toMatchObject({ code: 'issuer_unavailable' })
})

test('a token is verified again now and then, and what is open goes on', async () => {
  await using short = await ownKeys({
    access: {
      refreshMs: 50,
      verifyMs: 300,
      graceMs: 0,
      tokens: { issuer: issuer.name, audience: 'sekali', jwks: { url: issuer.url } },
    },
  })
  const token = await issuer.sign(reader)
  const asks = () => short.ask('/events?topic=orders.eu', token)
  expect((await asks()).status).toBe(200)
  using tail = openTail(short.url, 'topic=orders.eu', bearer(token))
  expect((await tail.answered).statusCode).toBe(200)
  await sleep(400)
  expect((await asks()).status).toBe(200)
  expect(tail.text).not.toContain('again')
})

test('who has a token has no session, and is told so', async () => {
  const token = await issuer.sign({ sub: 'ada', scope: 'read', sekali_topics: ['a.>'] })
  const who = await (await own.ask('/session', token)).json()
  expect(who).toMatchObject({ auth: 'keys', by: 'token', holder: 'jwt:ada', topics: ['a.>'] })
  const refused = await own.ask('/session', token, { method: 'POST' })
  expect([refused.status, refused.headers.get('set-cookie')]).toEqual([403, null])
  expect((await problemIn(refused)).detail).toContain('Send a token')
})
