/** Pages of other origins: none, unless an operator lists them. */
import { expect, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'
import { ownKeys } from '../test/own-keys.ts'

const Origin = 'https://app.example.com'
const fromPage = { Origin, 'Sec-Fetch-Site': 'cross-site' }
const asking = {
  ...fromPage,
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'authorization',
}
const corsOf = ({ headers }: Response) =>
  [...headers].filter(([name]) => name.startsWith('access-control-')).map(([name]) => name)

test('a page that is listed may ask, publish and read, with a key; its browser asks first and has none', async () => {
  await using own = await ownKeys({ corsOrigins: [Origin] })
  const { text } = await own.make()
  const preflight = await own.ask('/publish', undefined, { method: 'OPTIONS', headers: asking })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-origin')).toBe(Origin)
  expect(preflight.headers.get('access-control-allow-headers')).toMatch(/\bAuthorization\b.*\bX-Request-Id\b/)
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST, PUT, DELETE')
  expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
  const published = await own.ask('/publish', text, post(eventBody(), fromPage))
  expect([published.status, published.headers.get('access-control-allow-origin')]).toEqual([200, Origin])
  const read = await own.ask('/events?limit=1', text, { headers: fromPage })
  expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, Origin])
  expect(read.headers.get('access-control-expose-headers')).toMatch(/ETag, Link.*Retry-After.*X-Request-Id/)
  const refused = await own.ask('/events', undefined, { headers: fromPage })
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, Origin])
})

test('other pages get nothing, also not the answer to what their browser asks first', async () => {
  await using own = await ownKeys({ corsOrigins: [Origin] })
  const { text } = await own.make()
  for (const other of [
    'https://evil.example',
    'null',
    'https://app.example.com.evil.example',
    'http://app.example.com',
  ]) {
    const headers = { ...asking, Origin: other }
    const preflight = await own.ask('/publish', undefined, { method: 'OPTIONS', headers })
    expect([preflight.status, corsOf(preflight)]).toEqual([401, []])
    const published = await own.ask('/publish', text, post(eventBody(), { ...fromPage, Origin: other }))
    expect([published.status, corsOf(published)]).toEqual([403, []])
    expect(corsOf(await own.ask('/events', text, { headers }))).toEqual([])
  }
})

test('every answer says that it depends on the origin, so that no cache gives it to another page', async () => {
  await using own = await ownKeys({ corsOrigins: [Origin] })
  const { text } = await own.make()
  for (const [path, key, headers] of [
    ['/events?limit=1', text, fromPage],
    ['/events?limit=1', text, {}],
    ['/events', undefined, fromPage],
    ['/healthz', undefined, {}],
    ['/events', text, { ...fromPage, Accept: 'application/x-ndjson' }],
  ] as const) {
    const { headers: answered } = await own.ask(path, key, { headers })
    expect(answered.get('vary')).toMatch(/(^|, )Origin(,|$)/)
  }
})

test('without a list there is no CORS at all', async () => {
  await using own = await ownKeys()
  const preflight = await own.ask('/publish', undefined, { method: 'OPTIONS', headers: asking })
  expect([preflight.status, corsOf(preflight)]).toEqual([401, []])
})
