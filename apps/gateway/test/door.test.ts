/** What the gateway answers without its stores: what it refuses at the door, and that it cannot serve. */
import { limits } from '@sekali/core/limits'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateway, eventBody, nowhere, post, problemIn } from './gateway.ts'
import { type ServedGateway, serveGateway } from './served-gateway.ts'

let gateway: ServedGateway
beforeAll(async () => {
  gateway = await serveGateway(nowhere)
})
afterAll(() => gateway[Symbol.asyncDispose]())
const request = (path: string, init?: RequestInit) => fetch(`${gateway.url}${path}`, init)

test.each([
  ['no JSON', '{"topic":', 400, 'malformed_json'],
  ['nothing', '', 400, 'malformed_json'],
  ['no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 400, 'malformed_json'],
  [
    'half a pair encoded as if it were a character',
    Buffer.from('7b2261223a22eda080227d', 'hex'),
    400,
    'malformed_json',
  ],
  ['no object', '7', 422, 'invalid_event'],
  ['no event', '{}', 422, 'invalid_event'],
  ['more than fits', 'x'.repeat(limits.bodyBytesMax + 1), 413, 'body_too_large'],
  [
    '10,000 brackets',
    eventBody().replace('{"amount":10}', `{"a":${'['.repeat(1e4)}${']'.repeat(1e4)}}`),
    422,
    'invalid_event',
  ],
])('a body that is %s', async (_, body, status, code) => {
  const response = await request('/publish', post(body))
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await problemIn(response)).toMatchObject({ type: 'about:blank', status, code })
})

test('every field that does not fit is named, no value is', async () => {
  const body = eventBody({ topic: 'secret!', timestamp: 'secret', payload: 'secret', event_id: undefined })
  const response = await request('/publish', post(body))
  expect(response.status).toBe(422)
  const text = await response.text()
  expect(text).not.toContain('secret')
  expect(
    JSON.parse(text).errors.map((issue: { path: string; code: string }) => [issue.path, issue.code]),
  ).toEqual([
    ['topic', 'invalid_topic'],
    ['event_id', 'missing_field'],
    ['timestamp', 'invalid_timestamp'],
    ['payload', 'invalid_payload'],
  ])
})

test.each([
  ['without a type', { 'Content-Type': '' }, 'unsupported_media_type'],
  ['as a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'unsupported_media_type'],
  ['in UTF-16', { 'Content-Type': 'application/json; charset=utf-16' }, 'unsupported_media_type'],
  ['compressed', { 'Content-Encoding': 'gzip' }, 'unsupported_encoding'],
  ['compressed at last', { 'Content-Encoding': 'identity, br' }, 'unsupported_encoding'],
])('an event sent %s is 415', async (_, headers, code) => {
  const response = await request('/publish', post(eventBody(), headers))
  expect(response.status).toBe(415)
  expect(await problemIn(response)).toMatchObject({ code })
})

test.each([
  ['GET', '/publish', 'POST, OPTIONS'],
  ['PUT', '/publish', 'POST, OPTIONS'],
  ['DELETE', '/publish', 'POST, OPTIONS'],
  ['HEAD', '/publish', 'POST, OPTIONS'],
  ['POST', '/events', 'GET, HEAD, OPTIONS'],
  ['PATCH', '/stats', 'GET, HEAD, OPTIONS'],
  ['DELETE', '/healthz', 'GET, HEAD, OPTIONS'],
  ['PUT', '/topics/orders', 'GET, DELETE, HEAD, OPTIONS'],
  ['POST', '/projections/totals', 'GET, DELETE, HEAD, OPTIONS'],
  ['DELETE', '/projections/totals/rebuild', 'GET, POST, HEAD, OPTIONS'],
])('%s %s is 405 and says what can be done', async (method, path, allow) => {
  const response = await request(path, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe(allow)
  if (method !== 'HEAD') expect(await problemIn(response)).toMatchObject({ code: 'method_not_allowed' })
})

test('OPTIONS tells what can be done, and lets no other site in', async () => {
  const response = await request('/publish', {
    method: 'OPTIONS',
    headers: { Origin: 'https://example.org' },
  })
  expect(response.status).toBe(204)
  expect(response.headers.get('allow')).toBe('POST, OPTIONS')
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})

test.each(['/assets', '/assets/', '/publish/', '/events/1', '/nothing', '/*'])('%s is 404', async (path) => {
  const response = await request(path)
  expect(response.status).toBe(404)
  expect(await problemIn(response)).toMatchObject({ code: 'not_found' })
})

test('parameters that do not fit are 422', async () => {
  const response = await request('/events?limit=0&offset=1')
  expect(response.status).toBe(422)
  expect(await problemIn(response)).toMatchObject({
    code: 'invalid_parameters',
    errors: [{ path: 'offset' }, { path: 'limit', code: 'invalid_limit' }],
  })
})

test('without Redis an event is refused for now, in under two seconds [P1]', async () => {
  const started = performance.now()
  const response = await request('/publish', post(eventBody()))
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({ code: 'broker_unavailable' })
  expect(text).not.toMatch(/ECONNREFUSED|127\.0\.0\.1|order-1/)
})

test('without PostgreSQL nothing can be read for now', async () => {
  const response = await request('/events')
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({ code: 'store_unavailable' })
  expect(text).not.toMatch(/select|ECONNREFUSED|nobody/i)
})

test('without both, /stats says that it does not know [P7]', async () => {
  const response = await request('/stats')
  expect(response.status).toBe(200)
  const nothing = { accepted: null, stored: null, duplicates: null, conflicts: null, dead: null, lost: null }
  expect(await response.json()).toEqual({
    performance_metrics: { uptime_seconds: expect.any(Number), throughput_rps: 0 },
    traffic_stats: { total_received_api: null, duplicates_dropped_consumer: null },
    database_stats: { unique_events_stored: null },
    totals: { ...nothing, in_flight: null },
    oldest_in_flight_seconds: null,
    open_letters: null,
    topics: null,
    consumers: null,
  })
})

test('without both, the gateway is alive but not ready', async () => {
  expect((await request('/healthz')).status).toBe(200)
  const ready = await request('/readyz')
  expect(ready.status).toBe(503)
  expect(await ready.json()).toMatchObject({
    status: 'not_ready',
    broker: 'unavailable',
    store: 'unavailable',
  })
})

test('once it is to leave, the gateway is not ready, but still alive', async () => {
  await using leaving = createGateway(nowhere)
  leaving.drain.abort()
  const ready = await leaving.app.request('/readyz')
  expect(ready.status).toBe(503)
  expect(await ready.json()).toMatchObject({ status: 'draining' })
  expect((await leaving.app.request('/healthz')).status).toBe(200)
})

test.each(['/healthz', '/stats', '/nothing', '/events?limit=0'])(
  '%s: nobody keeps or guesses the answer',
  async (path) => {
    const { headers } = await request(path)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
  },
)

test('HEAD is GET without the body', async () => {
  const response = await request('/healthz', { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('')
})
