/** Batches and streams, on real servers. */
import { readStreams } from '@sekali/broker/streams'
import { limits } from '@sekali/core/limits'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { eventBody, post, problemIn } from './gateway.ts'
import { ownProcess } from './own-process.ts'

type Own = Awaited<ReturnType<typeof own>>

async function own(redisUrl = inject('redisUrl')) {
  const started = await ownProcess(redisUrl)
  const { broker, url } = started
  return {
    ...started,
    publish: (init: RequestInit) => fetch(`${url}/publish`, init),
    queued: async () => (await readStreams(broker)).get('orders')?.entriesAdded ?? 0,
    ids: async () =>
      (await broker.redis.xrange(`${broker.prefix}:stream:orders`, '-', '+')).flatMap(([, [, value]]) =>
        value?.split('\0\0').map((text) => text.split('\0')[0]),
      ),
  }
}

let system: Own
beforeAll(async () => {
  system = await own()
})
afterAll(() => system[Symbol.asyncDispose]())

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => eventBody({ event_id: `e${from + index}` }))
const idsFrom = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `e${from + index}`)
const lines = (body: string | ReadableStream<Uint8Array>): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'Content-Type': 'application/x-ndjson' },
})

test('an array is queued whole and in order [P6]', async () => {
  await using fresh = await own()
  const response = await fresh.publish(post(`[${numbered(2_500).join(',')}]`))
  expect([response.status, await response.json()]).toEqual([200, { status: 'queued', queued: 2_500 }])
  expect(await fresh.ids()).toEqual(idsFrom(2_500))
})

test('of an array with a bad event nothing is queued, and each is named by index and path', async () => {
  const before = await system.queued()
  const events = numbered(10)
  events[3] = eventBody({ event_id: '' })
  events[7] = eventBody({ topic: 'not a topic', timestamp: 'now' })
  const response = await system.publish(post(`[${events.join(',')}]`))
  const { code, errors } = await problemIn(response)
  expect([response.status, code]).toEqual([422, 'invalid_event'])
  expect(errors).toMatchObject([
    { index: 3, path: 'event_id' },
    { index: 7, path: 'topic' },
    { index: 7, path: 'timestamp' },
  ])
  expect(await system.queued()).toBe(before)
})

test.each([
  ['no events', '[]', 422, 'invalid_batch'],
  ['too many events', `[${numbered(limits.batchEventsMax + 1).join(',')}]`, 422, 'invalid_batch'],
  ['half an array', '[{}', 400, 'malformed_json'],
  ['too many bytes', `["${'x'.repeat(limits.batchBytesMax)}"]`, 413, 'body_too_large'],
])('an array of %s is refused', async (_, body, status, code) => {
  const response = await system.publish(post(body))
  expect([response.status, (await problemIn(response)).code]).toEqual([status, code])
})

test('a stream of lines is queued in order, however it is cut into chunks [P6]', async () => {
  await using fresh = await own()
  const bytes = new TextEncoder().encode(`${numbered(1_500).join('\n')}\n\n`)
  const cuts = ReadableStream.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 997) yield bytes.subarray(at, at + 997)
    })(),
  )
  const response = await fresh.publish({ ...lines(cuts), duplex: 'half' } as RequestInit)
  expect([response.status, await response.json()]).toEqual([200, { status: 'queued', queued: 1_500 }])
  expect(await fresh.ids()).toEqual(idsFrom(1_500))
})

test('bad lines are named by number, and the others are queued', async () => {
  const before = await system.queued()
  const tooLong = eventBody({ payload: { filler: 'x'.repeat(limits.bodyBytesMax) } })
  const body = [eventBody(), '{', '', eventBody({ source: '' }), tooLong, eventBody()].join('\r\n')
  const response = await system.publish(lines(body))
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({
    code: 'invalid_lines',
    queued: 2,
    lines_read: 6,
    invalid: 3,
    lines: [
      { line: 2, errors: [{ code: 'malformed_json' }] },
      { line: 4, errors: [{ path: 'source' }] },
      { line: 5, errors: [{ code: 'invalid_line' }] },
    ],
  })
  expect(await system.queued()).toBe(before + 2)
})

test('a stream that breaks off leaves its beginning queued, in order, and nothing else', async () => {
  await using fresh = await own()
  const events = numbered(3_000)
  const abort = new AbortController()
  const body = ReadableStream.from(
    (async function* () {
      for (const [index, event] of events.entries()) {
        if (index === 2_000) abort.abort()
        yield new TextEncoder().encode(`${event}\n`)
      }
    })(),
  )
  const init = { ...lines(body), duplex: 'half', signal: abort.signal } as RequestInit
  await expect(fresh.publish(init)).rejects.toThrow()
  expect((await fetch(`${fresh.gateway.url}/healthz`)).status).toBe(200)
  const ids = await fresh.ids()
  expect(ids).toEqual(idsFrom(ids.length))
})

test('a Redis that is full in the middle: 503 says how many are queued, and sending all again is safe', async () => {
  await using redis = await ownRedis(['--maxmemory', '8mb'])
  await using fresh = await own(redis.url)
  const filler = { filler: 'x'.repeat(3_000) }
  const events = Array.from({ length: 2_500 }, (_, index) =>
    eventBody({ event_id: `e${index}`, payload: filler }),
  )
  for (const init of [post(`[${events.join(',')}]`), lines(events.join('\n'))]) {
    const response = await fresh.publish(init)
    const { code, queued } = (await response.json()) as { code: string; queued?: number }
    expect(response.status).toBe(503)
    // Redis itself refuses, or the gateway has looked at its memory in the meantime (pressure/memory-load.ts).
    expect(code).toMatch(/^(broker_unavailable|memory_limit)$/)
    expect(response.headers.get('retry-after')).toMatch(code === 'memory_limit' ? /^\d{1,2}$/ : /^[123]$/)
    expect(queued ?? 0).toBeLessThan(2_500)
  }
  await fresh.broker.redis.config('SET', 'maxmemory', '0')
  await eventually(async () => expect((await fresh.publish(post(`[${events[0]}]`))).status).toBe(200))
  const again = await fresh.publish(lines(events.join('\n')))
  expect(await again.json()).toEqual({ status: 'queued', queued: 2_500 })
  expect((await fresh.ids()).slice(-2_500)).toEqual(idsFrom(2_500))
})
