/** How sessions of browsers end, and when they go on. */
import { revokeKey } from '@sekali/store/change-keys'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { eventBody, post, problemIn } from '../test/gateway.ts'
import { ownKeys } from '../test/own-keys.ts'
import { askWith, cookieIn, fromOwnPage, logIn } from '../test/own-session.ts'
import { serveGateway } from '../test/served-gateway.ts'
import { openTail } from '../test/sse.ts'

const soon = { access: { refreshMs: 50 } }

/** Another gateway of the same system. */
const another = ({ env }: Awaited<ReturnType<typeof ownKeys>>) =>
  serveGateway({
    redisUrl: env.REDIS_URL,
    databaseUrl: env.DATABASE_URL,
    prefix: env.REDIS_PREFIX,
    auth: 'keys',
    ...soon,
  })

test('when its key is revoked a session is over, and what is open with it, also if no hint comes', async () => {
  await using own = await ownKeys(soon)
  await using second = await another(own)
  const { key, text } = await own.make()
  const cookie = await logIn(own.url, text)
  const headers = { Cookie: cookie, ...fromOwnPage }
  using tail = openTail(own.url, 'topic=a', headers)
  using elsewhere = openTail(second.url, 'topic=a', headers)
  for (const open of [tail, elsewhere]) expect((await open.answered).statusCode).toBe(200)
  await revokeKey(own.store, key.id, { actor: 'test' })
  await Promise.all([tail.over, elsewhere.over])
  for (const open of [tail, elsewhere]) expect(open.text).toContain(': The key has been revoked.')
  for (const url of [own.url, second.url]) {
    const refused = await askWith(url, cookie, '/stats')
    expect(refused.status).toBe(401)
    expect((await problemIn(refused)).detail).toBe('The key has been revoked. Log in again.')
  }
  expect((await own.ask('/session', text, { method: 'POST' })).status).toBe(401)
})

test('a session ends with its key at the latest', async () => {
  await using own = await ownKeys(soon)
  const expiresAt = new Date(Date.now() + 2_500).toISOString()
  const { text } = await own.make({ expiresAt })
  const begun = await own.ask('/session', text, { method: 'POST' })
  expect(begun.headers.get('set-cookie')).toMatch(/; Max-Age=[0-3]$/)
  const { until } = (await begun.json()) as { readonly until: string }
  expect(Date.parse(until)).toBeLessThanOrEqual(Date.parse(expiresAt))
  using tail = openTail(own.url, 'topic=a', { Cookie: cookieIn(begun), ...fromOwnPage })
  await tail.over
  expect(tail.text).toContain(': The key or token has expired.')
  expect((await askWith(own.url, cookieIn(begun), '/stats')).status).toBe(401)
})

test('a session that somebody leaves is over at every gateway, with what is open, and others go on', async () => {
  await using own = await ownKeys(soon)
  await using second = await another(own)
  const { text } = await own.make()
  const [left, stays] = [await logIn(own.url, text), await logIn(second.url, text)]
  for (const cookie of [left, stays]) {
    for (const { url } of [own, second]) expect((await askWith(url, cookie, '/stats')).status).toBe(200)
  }
  using tail = openTail(second.url, 'topic=a', { Cookie: left, ...fromOwnPage })
  await tail.answered
  const response = await askWith(own.url, left, '/session', { method: 'DELETE' })
  expect([response.status, await response.json()]).toEqual([200, { status: 'logged_out' }])
  expect(response.headers.get('set-cookie')).toMatch(/^sekali_session=; .*Max-Age=0$/)
  expect((await askWith(own.url, left, '/stats')).status).toBe(401)
  await tail.over
  expect(tail.text).toContain(': The session was ended.')
  // Also where it is shown for the first time.
  await using third = await another(own)
  for (const { url } of [second, third]) {
    expect((await askWith(url, left, '/stats')).status).toBe(401)
    expect((await askWith(url, stays, '/stats')).status).toBe(200)
  }
})

test('while Redis is away sessions that are known go on, and nobody else is called wrong', async () => {
  await using redis = await ownRedis()
  await using own = await ownKeys(soon, redis.url)
  const { text } = await own.make()
  const known = await logIn(own.url, text)
  const fresh = await logIn(own.url, text)
  expect((await askWith(own.url, known, '/events')).status).toBe(200)
  await redis.kill()
  expect((await askWith(own.url, known, '/events')).status).toBe(200)
  for (const answer of [
    await askWith(own.url, fresh, '/events'),
    await askWith(own.url, known, '/session', { method: 'DELETE' }),
    await own.ask('/session', text, { method: 'POST' }),
  ]) {
    expect([answer.status, (await problemIn(answer)).code]).toEqual([503, 'broker_unavailable'])
    expect(answer.headers.get('retry-after')).toMatch(/^[123]$/)
    expect(answer.headers.get('set-cookie')).toBeNull()
  }
  expect((await askWith(own.url, known, '/events')).status).toBe(200) // nothing has ended
})

test('while PostgreSQL is away sessions go on as their keys do', async () => {
  await using own = await ownKeys(soon)
  const { text } = await own.make({ scopes: ['publish'] })
  const known = await logIn(own.url, text)
  const publish = async (cookie: string) =>
    (await askWith(own.url, cookie, '/publish', post(eventBody()) as object)).status
  expect(await publish(known)).toBe(200)
  const fresh = await logIn(own.url, text)
  await eventually(() =>
    own.withoutPostgres(async () => {
      expect(await publish(known)).toBe(200)
      expect(await publish(fresh)).toBe(200) // shown for the first time: its key is known
    }),
  )
})
