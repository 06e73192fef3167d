/** Events whose own code runs while they are read: getters, proxies and toJSON. */
import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { Invalid } from '../src/errors.ts'
import { json, startPeer } from './peer.ts'
import { event, failureOf, fast } from './sample.ts'

const cause = new Error('secret')
const fail = () => {
  throw cause
}
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const getter = {
  get a() {
    return fail()
  },
}

const throwing: [string, () => unknown, string][] = [
  ['a getter that throws', () => getter, 'a'],
  ['one inside', () => event(1, { payload: { of: [1, getter] } }), 'payload.of.1.a'],
  ['a toJSON that throws', () => ({ toJSON: fail }), ''],
  ['one inside', () => event(1, { payload: { it: { toJSON: fail } } }), 'payload.it'],
  ['a proxy that throws', () => new Proxy({}, { ownKeys: fail }), ''],
  ['a revoked proxy', revoked, ''],
  ['one inside', () => event(1, { payload: { it: revoked() } }), 'payload.it'],
]

test.each(throwing)('%s is refused alone, with what it threw as the cause', async (_what, bad, path) => {
  await using peer = await startPeer((response, request, body) => {
    const queued = JSON.parse(body).filter(Boolean).length
    json(200, { status: 'queued', queued })(response, request, body)
  })
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const event1 = bad() as never
  const error = await failureOf(client.publish(event1))
  expect(error).toBeInstanceOf(Invalid)
  expect(error).toMatchObject({
    code: 'invalid_event',
    issues: [{ path, code: 'not_json', message: 'must be JSON: to read it failed' }],
    cause: expect.any(Error),
  })
  expect((error as Error).message).not.toContain('secret')
  expect(await failureOf(client.publishBatch([event(0), event1]))).toMatchObject({
    issues: [{ index: 1, path }],
  })
  expect(peer.received).toEqual([])
  expect(await client.publishBatch([event(0), event1], { lenient: true })).toMatchObject({ queued: 1 })
  expect(await client.publishAll([event(0), event1, event(2)])).toEqual({ queued: 2, refused: 1 })
})

test.each<[string, unknown]>([
  ['several events', [event(1), event(2)]],
  ['text', 'order'],
  ['a number', 7],
  ['null', null],
])('a toJSON that makes %s of itself is no event', async (_what, value) => {
  await using peer = await startPeer(json(200, { status: 'queued', event_id: 'order-1', queued: 1 }))
  const client = createClient({ baseUrl: peer.url, retry: fast })
  const bad = { toJSON: () => value } as never
  const error = await failureOf(client.publish(bad))
  expect(error).toMatchObject({
    name: 'Invalid',
    code: 'invalid_event',
    message: expect.stringMatching(/^must be (an|one) event/),
  })
  expect(await client.publishAll([event(0), bad])).toEqual({ queued: 1, refused: 1 })
})

test('what is sent is what was checked, although it changes each time it is read', async () => {
  await using peer = await startPeer(json(200, { status: 'queued', event_id: 'order-1' }))
  let reads = 0
  const payload = {
    get n() {
      reads += 1
      return reads === 1 ? 1 : Number.NaN
    },
    it: { toJSON: () => (reads > 1 ? undefined : { kept: reads }) },
    ['__proto__']: { own: true },
  }
  Object.defineProperty(payload, 'hidden', { value: 1, enumerable: false })
  await createClient({ baseUrl: peer.url }).publish(event(1, { payload }))
  expect(peer.received[0]?.body).toContain('"payload":{"n":1,"it":{"kept":1},"__proto__":{"own":true}}')
  expect(reads).toBe(1)
})
