import { expect, test } from 'vitest'
import type { Stats } from '../src/answers.ts'
import { createClient } from '../src/client.ts'
import {
  Invalid,
  NotReady,
  Refused,
  TimedOut,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
} from '../src/errors.ts'
import { breaksOff, hangs, json, resets, startPeer } from './peer.ts'
import { failureOf, fast, impatient, event as numbered } from './sample.ts'

const event = numbered(1)
const queued = { status: 'queued', event_id: 'order-1' }
const yes = json(200, queued)
const busy = json(503, { code: 'broker_unavailable', title: 'Redis is away' })

test('a publish sends the event as JSON and answers with its id', async () => {
  await using peer = await startPeer(yes)
  expect(await createClient({ baseUrl: peer.url }).publish(event)).toEqual(queued)
  expect(peer.received).toMatchObject([{ method: 'POST', url: '/publish' }])
  expect(JSON.parse(peer.received[0]?.body ?? '')).toEqual(event)
})

test.each([429, 502, 503, 504])('a %i is tried again until it is a 200', async (status) => {
  await using peer = await startPeer(json(status, {}), json(status, {}), yes)
  const client = createClient({ baseUrl: peer.url, retry: fast })
  expect(await client.publish(event)).toEqual(queued)
  expect(peer.received).toHaveLength(3)
})

test.each([
  ['a reset connection', resets],
  ['an answer that breaks off', breaksOff],
  ['a server that hangs', hangs],
])('%s is tried again, and what is sent stays the same to the byte', async (_what, fault) => {
  await using peer = await startPeer(fault, fault, yes)
  const retries: string[] = []
  const client = createClient({ baseUrl: peer.url, retry: fault === hangs ? impatient : fast })
  expect(await client.publish(event, { onRetry: ({ error }) => retries.push(error.code) })).toEqual(queued)
  expect(retries).toEqual(fault === hangs ? ['timed_out', 'timed_out'] : ['unreachable', 'unreachable'])
  expect(new Set(peer.received.map(({ body }) => body)).size).toBe(1)
})

test('a wait that Retry-After asks for is kept', async () => {
  await using peer = await startPeer(json(503, {}, { 'retry-after': '1' }), yes)
  await createClient({ baseUrl: peer.url, retry: fast }).publish(event)
  const [first, second] = peer.received.map(({ atMs }) => atMs)
  expect(Number(second) - Number(first)).toBeGreaterThan(990)
})

test('a Retry-After beyond the overall limit ends the call at once', async () => {
  await using peer = await startPeer(json(503, { code: 'overloaded' }, { 'retry-after': '3600' }))
  const startedAt = performance.now()
  const error = await failureOf(createClient({ baseUrl: peer.url, retry: fast }).publish(event))
  expect(error).toBeInstanceOf(Unavailable)
  expect(error).toMatchObject({ code: 'overloaded', status: 503, retryable: true, retryAfterMs: 3_600_000 })
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})

test('a server that never answers ends in a timeout at the overall limit', async () => {
  await using peer = await startPeer(hangs)
  const startedAt = performance.now()
  const retry = { ...fast, requestMs: 60, totalMs: 1_000 }
  const error = await failureOf(createClient({ baseUrl: peer.url, retry }).publish(event))
  expect(error).toBeInstanceOf(TimedOut)
  expect(peer.received.length).toBeGreaterThan(1)
  expect(performance.now() - startedAt).toBeLessThan(2_200)
})

test('a refused connection is reported with the socket’s own code', async () => {
  const peer = await startPeer(yes)
  await peer[Symbol.asyncDispose]()
  const retry = { totalMs: 1_000, delayFirstMs: 1e12, delayMaxMs: 1e12 }
  const error = await failureOf(createClient({ baseUrl: peer.url, retry }).publish(event))
  expect(error).toBeInstanceOf(Unreachable)
  expect(error).toMatchObject({ code: 'unreachable', retryable: true })
  expect(String(error)).toContain('ECONNREFUSED')
})

test('a 422 is never tried again and carries the issues', async () => {
  const issues = [{ path: 'timestamp', code: 'invalid_timestamp', message: 'must be ISO 8601' }]
  await using peer = await startPeer(json(422, { code: 'invalid_event', errors: issues }))
  const error = await failureOf(createClient({ baseUrl: peer.url, retry: fast }).publish(event))
  expect(error).toBeInstanceOf(Invalid)
  expect(error).toMatchObject({ code: 'invalid_event', retryable: false, issues })
  expect(String(error)).toContain('timestamp must be ISO 8601')
  expect(peer.received).toHaveLength(1)
})

test('a 422 begins with what is wrong, and is a sentence to its end', async () => {
  const issues = [
    { path: 'topic', code: 'invalid_topic', message: 'must be a string' },
    { path: 'source', code: 'invalid_source', message: 'is missing' },
  ]
  const detail = 'The body is JSON, but not an event. Nothing is queued.'
  const problem = { code: 'invalid_event', detail, errors: issues }
  await using peer = await startPeer(json(422, problem), json(422, { ...problem, errors: [] }))
  const refused = async () => (await failureOf(createClient({ baseUrl: peer.url }).publish(event))) as Error
  const answered = `POST ${peer.url}/publish answered 422 invalid_event: ${detail}`
  expect((await refused()).message).toBe(`topic must be a string; source is missing (${answered})`)
  expect((await refused()).message).toBe(answered)
})

test('a port that fetch calls for nobody is a wrong argument, at once', async () => {
  const startedAt = performance.now()
  const { publish, tail, waitUntilReady } = createClient({ baseUrl: 'http://127.0.0.1:1' })
  const calls: Promise<unknown>[] = [publish(event), tail({ topic: 'a' }).next(), waitUntilReady()]
  for (const error of await Promise.all(calls.map(failureOf))) {
    expect(error).toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/refuses http:\/\/127\.0\.0\.1:1\/.* \(bad port\)/),
    })
  }
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})

test.each([400, 404, 405, 413, 415, 500])('a %i is never tried again', async (status) => {
  await using peer = await startPeer(json(status, { code: 'some_code' }))
  const error = await failureOf(createClient({ baseUrl: peer.url, retry: fast }).publish(event))
  expect(error).toBeInstanceOf(Refused)
  expect(error).toMatchObject({ code: 'some_code', status, retryable: false })
  expect(peer.received).toHaveLength(1)
})

test('an answer without problem+json gets a code of its status', async () => {
  await using peer = await startPeer((response) => response.writeHead(404).end('<h1>Not here</h1>'))
  expect(await failureOf(createClient({ baseUrl: peer.url }).stats())).toMatchObject({ code: 'http_404' })
})

test.each([
  ['no JSON', '<h1>It works!</h1>'],
  ['other JSON', '{"hello":"world"}'],
])('a success with %s is not taken for a yes', async (_what, body) => {
  await using peer = await startPeer((response) => response.end(body))
  expect(await failureOf(createClient({ baseUrl: peer.url }).publish(event))).toBeInstanceOf(UnexpectedAnswer)
})

test('an abort ends a wait between two tries at once, with its reason', async () => {
  await using peer = await startPeer(busy)
  const controller = new AbortController()
  const client = createClient({ baseUrl: peer.url, retry: { delayFirstMs: 1e9, delayMaxMs: 5_000 } })
  const call = client.publish(event, {
    signal: controller.signal,
    onRetry: () => queueMicrotask(() => controller.abort('enough')),
  })
  expect(await failureOf(call)).toBe('enough')
})

test('an abort ends a request without an answer at once, with its reason', async () => {
  const controller = new AbortController()
  await using peer = await startPeer(() => controller.abort('enough'))
  const { signal } = controller
  expect(await failureOf(createClient({ baseUrl: peer.url }).publish(event, { signal }))).toBe('enough')
})

test('events asks for a topic, a limit and a place, and answers with an array', async () => {
  await using peer = await startPeer(json(200, []))
  const client = createClient({ baseUrl: `${peer.url}/log/` })
  expect(await client.events({ topic: 'orders.eu', limit: 7, after: 0 })).toEqual([])
  await client.events()
  expect(peer.received.map(({ url }) => url)).toEqual([
    '/log/events?topic=orders.eu&limit=7&after=0',
    '/log/events',
  ])
})

test('stats keeps what is unknown as null', async () => {
  const unknown = { stored: null, accepted: null } as unknown as Stats['totals']
  await using peer = await startPeer(json(200, { totals: unknown, topics: [] }))
  expect((await createClient({ baseUrl: peer.url }).stats()).totals.stored).toBeNull()
})

test('stats are all pages together, and not a list that ends where the servers went away', async () => {
  const topic = (topic: string) => ({ topic, stored: 1 })
  const next = { link: '</stats?limit=2&after=b&topic=%3E>; rel="next"' }
  const first = json(200, { totals: { stored: 3 }, topics: [topic('a'), topic('b')] }, next)
  await using peer = await startPeer(
    first,
    json(200, { totals: { stored: 4 }, topics: [topic('c')] }),
    first,
    json(200, { totals: { stored: null }, topics: null }),
  )
  const client = createClient({ baseUrl: peer.url })
  const all = await client.stats({ topic: '>' })
  expect(all).toMatchObject({ totals: { stored: 3 }, topics: [topic('a'), topic('b'), topic('c')] })
  expect((await client.stats()).topics).toBeNull()
  expect(peer.received.map(({ url }) => url)).toEqual([
    '/stats?topic=%3E',
    '/stats?limit=2&after=b&topic=%3E',
    '/stats',
    '/stats?limit=2&after=b&topic=%3E',
  ])
})

test('readiness is waited for through resets and 503s', async () => {
  await using peer = await startPeer(resets, busy, busy, json(200, { status: 'ready' }))
  await createClient({ baseUrl: peer.url }).waitUntilReady()
  expect(peer.received.map(({ url }) => url)).toEqual(Array(4).fill('/readyz'))
})

test('readiness that does not come in time is an error that says what was answered last', async () => {
  await using peer = await startPeer(busy)
  const error = await failureOf(createClient({ baseUrl: peer.url }).waitUntilReady({ deadlineMs: 500 }))
  expect(error).toBeInstanceOf(NotReady)
  expect(error).toMatchObject({ code: 'not_ready', cause: { code: 'broker_unavailable' } })
})

test('a base URL that is none is refused before anything is sent', () => {
  expect(() => createClient({ baseUrl: '127.0.0.1:8080' })).toThrow(/http/)
})
