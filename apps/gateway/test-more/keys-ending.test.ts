/** What is open when its key is revoked: it ends, and does not come again. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@sekali/client'
import { createLog } from '@sekali/process/log'
import { revokeKey } from '@sekali/store/change-keys'
import { eventually } from '@sekali/testkit/eventually'
import { fillLog } from '@sekali/testkit/fill-log'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { createAdmitted } from '../src/access/admitted.ts'
import { createLife } from '../src/access/life.ts'
import { eventBody, post } from '../test/gateway.ts'
import { bearer, ownKeys } from '../test/own-keys.ts'
import { openTail } from '../test/sse.ts'

const by = { actor: 'test' }
const soon = { access: { refreshMs: 50 } }

test('a tail says why and ends, and others go on', async () => {
  await using own = await ownKeys(soon)
  await storeEvents(own.store, [event({ topic: 'a', eventId: '1' })])
  const [gone, stays] = [await own.make({ scopes: ['read'] }), await own.make({ scopes: ['read'] })]
  const open = (key: string) => openTail(own.url, 'topic=a&from=start', bearer(key))
  using ending = open(gone.text)
  using staying = open(stays.text)
  await eventually(() => expect([ending.told.length, staying.told.length]).toEqual([1, 1]))
  await revokeKey(own.store, gone.key.id, by)
  await ending.over
  expect(ending.text).toMatch(/\n\n: The key has been revoked\.\n$/)
  expect((await own.ask('/tail?topic=a', gone.text)).status).toBe(401)
  await storeEvents(own.store, [event({ topic: 'a', eventId: '2' })])
  await eventually(() => expect(staying.told.length).toBe(2))
})

test('the gateway that revokes a key has done so when it answers, also if no hint comes', async () => {
  await using own = await ownKeys({ access: { refreshMs: 3_600_000 } })
  own.broker.redis.publish = async () => 0 // it arrives nowhere
  const [admin, gone] = [await own.make(), await own.make()]
  expect((await own.ask('/events', gone.text)).status).toBe(200)
  await own.ask(`/keys/${gone.key.id}`, admin.text, { method: 'DELETE' })
  expect((await own.ask('/events', gone.text)).status).toBe(401)
  const old = await own.make()
  expect((await own.ask('/events', old.text)).status).toBe(200)
  await own.ask(`/keys/${old.key.id}/rotate`, admin.text, {
    method: 'POST',
    body: '{"old_expires_in_seconds":0}',
    headers: { 'Content-Type': 'application/json' },
  })
  expect((await own.ask('/events', old.text)).status).toBe(401)
})

test('a tail whose client reads nothing is cut off, and keeps no memory', async () => {
  await using own = await ownKeys(soon)
  await fillLog(own.store, { big: 60_000 }, { payload: `json_build_object('x', repeat('x', 500))` })
  const { key, text } = await own.make({ scopes: ['read'] })
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
  socket.write(
    `GET /tail?topic=big&from=start HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${text}\r\n\r\n`,
  )
  await once(socket, 'data')
  socket.pause()
  await sleep(500) // until the kernel takes no more
  await revokeKey(own.store, key.id, by)
  await eventually(async () => expect((await own.ask('/events', text)).status).toBe(401))
  await sleep(1_500) // it has a second to take what was written
  const ended = once(socket, 'end')
  socket.resume()
  await expect(ended).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('a token that the issuer no longer signs for takes what is open with it', async () => {
  const options = { refreshMs: 3_600_000, verifyMs: -1 }
  const log = createLog('gateway', 'silent')
  await using all = createAdmitted({ find: async () => new Map(), note: async () => undefined, log }, options)
  const grant = { holder: 'jwt:a', scopes: [], topics: [] }
  const first = all.addToken('digest', grant, Number.POSITIVE_INFINITY)
  expect(all.of('digest')).toBeUndefined() // it is to be verified again
  expect(all.unverified('digest')).toBe(first)
  expect(all.addToken('digest', grant, Number.POSITIVE_INFINITY)).toBe(first)
  all.endToken('digest', 'It is not signed by a key of the issuer.')
  expect(first.life.over).toContain('not signed')
  expect(all.unverified('digest')).toBeUndefined()
})

test('a tail ends when its key expires', async () => {
  await using own = await ownKeys(soon)
  const { text } = await own.make({ scopes: ['read'], expiresAt: new Date(Date.now() + 1_000).toISOString() })
  using tail = openTail(own.url, 'topic=a', bearer(text))
  await tail.answered
  await tail.over
  expect(tail.text).toContain(': The key or token has expired.')
})

test('the SDK stops following, and says why', async () => {
  await using own = await ownKeys(soon)
  await storeEvents(own.store, [event({ topic: 'a', eventId: '1' })])
  const { key, text } = await own.make({ scopes: ['read'] })
  const client = createClient({ baseUrl: own.url, token: text })
  const following = client.tail({ topic: 'a', from: 'start' })
  expect((await following.next()).value).toMatchObject({ seq: 1 })
  await revokeKey(own.store, key.id, by)
  await expect(following.next()).rejects.toMatchObject({
    code: 'unauthorized',
    status: 401,
    retryable: false,
  })
})

test('a replay is cut off, never ended as if it were whole', async () => {
  await using own = await ownKeys(soon)
  await fillLog(own.store, { big: 60_000 }, { payload: `json_build_object('x', repeat('x', 500))` })
  const { key, text } = await own.make({ scopes: ['read'] })
  const call = request(`${own.url}/events?topic=big`, {
    headers: { ...bearer(text), Accept: 'application/x-ndjson' },
  }).end()
  call.on('error', () => undefined)
  const [response] = await once(call, 'response')
  expect(response.statusCode).toBe(200)
  await revokeKey(own.store, key.id, by)
  // Nothing is read of it meanwhile: it stands still, half sent.
  await eventually(async () => expect((await own.ask('/stats', text)).status).toBe(401))
  const failed = once(response, 'error')
  response.resume()
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
})

test('a stream of lines ends, and says how far it came', async () => {
  await using own = await ownKeys(soon)
  const { key, text } = await own.make({ scopes: ['publish'] })
  const headers = { ...bearer(text), 'Content-Type': 'application/x-ndjson' }
  const call = request(`${own.url}/publish`, { method: 'POST', headers })
  call.on('error', () => undefined)
  call.write(`${eventBody({ event_id: '1' })}\n${eventBody({ event_id: '2' })}\n`)
  const answered = once(call, 'response')
  const admin = await own.make()
  await eventually(async () => {
    const stats = await (await own.ask('/stats', admin.text)).json()
    expect(stats).toMatchObject({ totals: { accepted: 2 } })
  })
  await revokeKey(own.store, key.id, by)
  const [response] = await answered
  const [body] = await once(response.setEncoding('utf8'), 'data')
  expect(response.statusCode).toBe(401)
  expect(JSON.parse(body)).toMatchObject({ code: 'unauthorized', queued: 2, lines_read: 2 })
  expect(body).toContain('has been revoked')
})

test('whoever waits for a receipt gets what is known then', async () => {
  await using own = await ownKeys(soon) // no consumer runs, so no outcome comes
  const { key, text } = await own.make({ scopes: ['publish'] })
  const waiting = own.ask('/publish', text, post(eventBody(), { Prefer: 'wait=60' }))
  await eventually(async () => expect((await own.ask('/stats', text)).status).toBe(403))
  await revokeKey(own.store, key.id, by)
  const response = await waiting
  expect([response.status, await response.json()]).toEqual([202, { status: 'queued', event_id: 'order-1' }])
})

test('a body that was on its way when its key was revoked is not published', async () => {
  await using own = await ownKeys(soon)
  const { key, text } = await own.make({ scopes: ['publish'] })
  const body = eventBody()
  const headers = { ...bearer(text), 'Content-Type': 'application/json', 'Content-Length': body.length }
  const call = request(`${own.url}/publish`, { method: 'POST', headers })
  const answered = once(call, 'response')
  call.write(body.slice(0, 20))
  await eventually(() => expect(own.arrived()).toBe(1))
  await revokeKey(own.store, key.id, by)
  await eventually(async () => expect((await own.ask('/stats', text)).status).toBe(401))
  call.end(body.slice(20))
  expect((await answered)[0].statusCode).toBe(401)
})

test('a life ends once, and calls whoever watches it then, and nobody who has stopped', () => {
  const life = createLife()
  const calls: string[] = []
  const note = (why: string) => void calls.push(why)
  const first = life.onEnd(note)
  life.onEnd(note)
  first[Symbol.dispose]()
  expect(life.isInUse).toBe(true)
  life.end('first')
  life.end('second')
  life.onEnd(note)
  expect([life.over, calls, life.isInUse]).toEqual(['first', ['first', 'first'], false])
})
