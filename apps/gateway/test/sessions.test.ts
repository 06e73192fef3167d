/** Sessions of browsers: who gets one, and what it opens. */
import { createHash } from 'node:crypto'
import { readSessionSecret } from '@sekali/broker/sessions'
import { expect, test } from 'vitest'
import { writeSession } from '../src/access/session-text.ts'
import { eventBody, post, problemIn } from './gateway.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { askWith, cookieIn, logIn } from './own-session.ts'

const hashOf = (key: string) => createHash('sha256').update(key).digest()

test('a key begins a session, whose cookie opens what the key opens, and no more', async () => {
  await using own = await ownKeys()
  const { key, text } = await own.make({ scopes: ['read'], topics: ['orders.>'] })
  const begun = await own.ask('/session', text, { method: 'POST' })
  const expected = { auth: 'keys', holder: key.id, scopes: ['read'], topics: ['orders.>'] }
  expect([begun.status, await begun.json()]).toEqual([
    201,
    { ...expected, by: 'session', until: expect.stringMatching(/Z$/) },
  ])
  expect(begun.headers.get('set-cookie')).toMatch(
    /^sekali_session=[\w.-]+; HttpOnly; SameSite=Strict; Max-Age=43[12]\d\d$/,
  )
  const cookie = cookieIn(begun)
  expect(cookie).not.toContain(text.split('_')[2])
  const ask = async (path: string, init?: RequestInit) => {
    const headers = { ...(init?.headers as Record<string, string> | undefined) }
    return (await askWith(own.url, `theme=dark; ${cookie}; a=b`, path, { ...init, headers })).status
  }
  expect(await ask('/events?topic=orders.eu')).toBe(200)
  expect(await ask('/events?topic=payments.eu')).toBe(403)
  expect(await ask('/publish', post(eventBody({ topic: 'orders.eu' })))).toBe(403)
  expect(await ask('/doctor')).toBe(403)
  const mine = await askWith(own.url, cookie, '/session')
  expect(await mine.json()).toMatchObject({ ...expected, by: 'session' })
  expect(await (await own.ask('/session', text)).json()).toEqual({ ...expected, by: 'key', until: null })
})

test('where nobody is asked for a key there is no session, and everyone may do everything', async () => {
  await using own = await ownKeys({ auth: 'off' })
  expect(await (await own.ask('/session')).json()).toEqual({
    auth: 'off',
    by: null,
    holder: null,
    scopes: ['publish', 'read', 'work', 'admin'],
    topics: ['>'],
    until: null,
  })
  const refused = await own.ask('/session', undefined, { method: 'POST' })
  expect([refused.status, (await problemIn(refused)).code]).toEqual([409, 'auth_off'])
})

test('the cookie is for TLS alone where a trusted proxy says that its client came with TLS', async () => {
  const cookieOf = async (proxies: readonly string[], scheme: string, option = 'trustedProxies') => {
    await using own = await ownKeys({ [option]: proxies })
    const { text } = await own.make()
    const headers = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': scheme }
    const begun = await own.ask('/session', text, { method: 'POST', headers })
    return begun.headers.get('set-cookie')
  }
  expect(await cookieOf(['127.0.0.1'], 'https')).toMatch(/; Secure$/)
  expect(await cookieOf(['127.0.0.1'], 'http')).not.toContain('Secure')
  // Of several the last is the proxy's: the client may have invented those before it.
  expect(await cookieOf(['127.0.0.1'], 'http, https')).toMatch(/; Secure$/)
  expect(await cookieOf(['127.0.0.1'], 'https, http')).not.toContain('Secure')
  expect(await cookieOf(['127.0.0.1'], 'https', 'trustedEdge')).toMatch(/; Secure$/)
  expect(await cookieOf([], 'https')).not.toContain('Secure') // whoever calls may write that
})

test('what no gateway has signed opens nothing, and all of it is answered alike', async () => {
  await using own = await ownKeys()
  const [mine, other] = [await own.make(), await own.make()]
  const cookie = await logIn(own.url, mine.text)
  expect((await askWith(own.url, cookie, '/stats')).status).toBe(200)
  const [id = '', end = '', nonce = '', signature = ''] = cookie.slice('sekali_session='.length).split('.')
  const secret = String(await readSessionSecret(own.broker))
  const inAnHour = Date.now() + 3_600_000
  const forged = [
    `${id}.${Number(end) + 60}.${nonce}.${signature}`, // for longer
    `${other.key.id}.${end}.${nonce}.${signature}`, // of another key
    `${id}.${end}.${nonce.slice(1)}A.${signature}`,
    `${id}.${end}.${nonce}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
    `000000000000.${end}.${nonce}.${signature}`,
    // With what a copy of PostgreSQL has, and with what a copy of Redis has.
    writeSession('', id, hashOf(mine.text), inAnHour),
    writeSession(hashOf(mine.text).toString('hex'), id, hashOf(mine.text), inAnHour),
    writeSession(secret, id, hashOf(other.text), inAnHour),
    writeSession(secret, id, Buffer.alloc(32), inAnHour),
    writeSession(secret, '000000000000', Buffer.alloc(32), inAnHour),
    // Once it was good.
    writeSession(secret, id, hashOf(mine.text), Date.now() - 1_000),
    'nonsense',
    mine.text,
  ]
  const answers = new Set<string>()
  for (const text of forged) {
    const response = await askWith(own.url, `sekali_session=${text}`, '/stats')
    answers.add(`${response.status} ${await response.text()}`)
  }
  expect([...answers]).toEqual([expect.stringMatching(/^401 .*The session is over\. Log in again\./)])
  // With both servers one can sign: this is how it is done, so the others fail by what they lack.
  const signed = writeSession(secret, id, hashOf(mine.text), inAnHour)
  expect((await askWith(own.url, `sekali_session=${signed}`, '/stats')).status).toBe(200)
})

test('a session that is shown as a key, and a key as a session, open nothing', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const cookie = await logIn(own.url, text)
  expect((await askWith(own.url, cookie, '/stats')).status).toBe(200)
  const session = cookie.slice('sekali_session='.length)
  expect((await own.ask('/stats', session)).status).toBe(401)
  expect((await own.ask('/stats', text)).status).toBe(200)
  expect((await askWith(own.url, `sekali_session=${text}`, '/stats')).status).toBe(401)
})

test('a page of another origin changes nothing with a session, and reads nothing', async () => {
  const listed = 'http://localhost:3000'
  await using own = await ownKeys({ corsOrigins: [listed] })
  const { text } = await own.make()
  const cookie = await logIn(own.url, text)
  const write = async (headers: Record<string, string>) => {
    const init = post(eventBody(), { Cookie: cookie, ...headers })
    return (await fetch(`${own.url}/publish`, init)).status
  }
  const ownOrigin = own.url
  expect(await write({ Origin: ownOrigin })).toBe(200)
  expect(await write({ 'Sec-Fetch-Site': 'same-origin' })).toBe(200)
  expect(await write({ Origin: ownOrigin, 'Sec-Fetch-Site': 'same-origin' })).toBe(200)
  for (const strange of [
    {}, // a browser too old to say, or a program that has found the cookie
    { Origin: listed },
    { Origin: listed, 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'null' },
    { Origin: 'https://evil.example' },
    { 'Sec-Fetch-Site': 'none' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { Origin: ownOrigin, 'Sec-Fetch-Site': 'cross-site' },
  ]) {
    expect([strange, await write(strange)]).toEqual([strange, 403])
  }
  const read = async (site: string) =>
    (await fetch(`${own.url}/events`, { headers: { Cookie: cookie, 'Sec-Fetch-Site': site } })).status
  expect([await read('same-origin'), await read('none')]).toEqual([200, 200])
  expect([await read('same-site'), await read('cross-site')]).toEqual([401, 401])
  // A page that is listed has a key of its own, and a program that has a cookie as well may use its key.
  expect(await write({ Origin: listed, ...bearer(text) })).toBe(200)
  expect(await write(bearer(text))).toBe(200)
})

test('a key that is shown counts, whatever the cookie says', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const cookie = await logIn(own.url, text)
  const reader = await own.make({ scopes: ['read'] })
  const who = await own.ask('/session', reader.text, { headers: { Cookie: cookie } })
  expect(await who.json()).toMatchObject({ by: 'key', holder: reader.key.id })
  const wrong = await own.ask('/stats', 'nonsense', { headers: { Cookie: cookie } })
  expect(wrong.status).toBe(401)
})

test('a session begins with a key alone', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const cookie = await logIn(own.url, text)
  const again = await askWith(own.url, cookie, '/session', { method: 'POST' })
  expect([again.status, again.headers.get('set-cookie')]).toEqual([401, null])
})

test('a flood of made-up sessions has to wait, and whoever is known does not', async () => {
  await using own = await ownKeys()
  const { key, text } = await own.make()
  const cookie = await logIn(own.url, text)
  expect((await askWith(own.url, cookie, '/stats')).status).toBe(200)
  const statuses = new Map<number, number>()
  for (let n = 0; n < 56; n++) {
    const made = writeSession('no secret', key.id, hashOf(text), Date.now() + 3_600_000)
    const { status } = await askWith(own.url, `sekali_session=${made}`, '/stats')
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  }
  expect(statuses.get(401)).toBeGreaterThanOrEqual(50)
  expect(statuses.get(429)).toBeGreaterThan(0)
  expect((await askWith(own.url, cookie, '/stats')).status).toBe(200)
})
