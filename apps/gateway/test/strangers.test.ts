/** Who gets past the door, on a real socket: the tables are in target and host. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exchange } from './exchange.ts'
import { nowhere } from './gateway.ts'
import { type ServedGateway, serveGateway } from './served-gateway.ts'

let gateway: ServedGateway
beforeAll(async () => {
  gateway = await serveGateway({ ...nowhere, hosts: ['gateway'] })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const local = 'Host: localhost'
/** The status of an answer, with its code if it is a problem. */
async function ask(line: string, ...headers: string[]): Promise<string> {
  const lines = [line, ...headers, 'Connection: close', '', '']
  const answer = await exchange(gateway.url, lines.join('\r\n'))
  const [, status] = /^HTTP\/1\.1 (\d+) /.exec(answer) ?? []
  const [, code] = /"code":"(\w+)"/.exec(answer) ?? []
  if (code !== undefined) expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im)
  expect(answer).not.toMatch(/^access-control-/im)
  return code === undefined ? `${status}` : `${status} ${code}`
}

test.each([
  ['/publish', '415 unsupported_media_type'],
  ['/publish?x', '415 unsupported_media_type'],
  ['http://localhost/publish', '415 unsupported_media_type'],
  ['/publish/', '404 not_found'],
  ['/PUBLISH', '404 not_found'],
  ['/publish;a=b', '404 not_found'],
  ['//publish', '400 bad_request_target'],
  ['/%70ublish', '400 bad_request_target'],
  ['/publish%00', '400 bad_request_target'],
  ['/publish#x', '400 bad_request_target'],
  ['/publish\t', '400 bad_request'],
  ['/a/../publish', '400 bad_request_target'],
  ['/events/%2e%2e/publish', '400 bad_request_target'],
  ['/events\\..\\publish', '400 bad_request_target'],
  ['http://evil/publish', '400 bad_request_target'],
  ['https://localhost/publish', '400 bad_request_target'],
  ['*', '400 bad_request_target'],
  ['/projections/x/%72ebuild', '400 bad_request_target'],
  ['/projections/x%2Frebuild', '400 bad_request_target'],
])('POST %s is %s', async (target, expected) => {
  expect(await ask(`POST ${target} HTTP/1.1`, local, 'Content-Length: 0')).toBe(expected)
})

test.each(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND'])(
  '%s does not walk around anything either',
  async (method) => {
    const refused = method === 'HEAD' ? '400' : '400 bad_request_target'
    expect(await ask(`${method} /nothing/../healthz HTTP/1.1`, local)).toBe(refused)
    expect(await ask(`${method} /%68ealthz HTTP/1.1`, local)).toBe(refused)
  },
)

test.each([
  [[], '400 bad_host'],
  [['Host:'], '400 bad_host'],
  [['Host: localhost', 'Host: evil.example'], '400 bad_host'],
  [['Host: localhost', 'host: localhost'], '400 bad_host'],
  [['Host: 127.0.0.1@evil.example'], '400 bad_host'],
  [['Host: [::1'], '400 bad_host'],
  [['Host: evil.example'], '421 unknown_host'],
  [['Host: localhost.evil.example:8080'], '421 unknown_host'],
  [['Host: localhost:'], '404 not_found'],
  [['Host: GATEWAY.:8080'], '404 not_found'],
  [['Host: 203.0.113.7:99'], '404 not_found'],
  [['Host: [0:0::1]:80'], '404 not_found'],
  [['Host: evil.example', 'X-Forwarded-Host: localhost', 'Forwarded: host=localhost'], '421 unknown_host'],
])('with %j a route that is not there is %s', async (headers, expected) => {
  expect(await ask('GET /nothing HTTP/1.1', ...headers)).toBe(expected)
  if (expected.startsWith('404')) return
  expect(await ask('POST /publish HTTP/1.1', ...headers, 'Content-Length: 0')).toBe(expected)
  expect(await ask('GET /stats HTTP/1.1', ...headers)).toBe(expected)
})

test('the answer to an unknown host says how to make it known', async () => {
  const answer = await exchange(gateway.url, 'GET /stats HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n')
  expect(answer).toContain('add it to HOSTS')
  expect(answer).not.toContain('localhost')
})

test.each([
  ['GET /healthz', '200'],
  ['GET /readyz?verbose', '503'],
  ['OPTIONS /', '503'],
  ['OPTIONS *', '503'],
])('%s is for whoever checks, by whatever name, and by none in HTTP/1.0', async (line, expected) => {
  expect(await ask(`${line} HTTP/1.1`, 'Host: pool-7.internal')).toBe(expected)
  expect(await ask(`${line} HTTP/1.0`)).toBe(expected)
  expect(await ask(`${line} HTTP/1.1`)).toBe('400 bad_host')
  expect(await ask(`${line} HTTP/1.0`, 'Host: a', 'Host: b')).toBe('400 bad_host')
})

test('a check with OPTIONS finds that the gateway is not ready; the others are as they were', async () => {
  expect(await ask('OPTIONS /readyz HTTP/1.0')).toBe('503')
  const { headers } = await fetch(`${gateway.url}/readyz`, { method: 'OPTIONS' })
  expect(headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  expect(await ask('OPTIONS /healthz HTTP/1.0')).toBe('204')
  expect(await ask('GET /nothing HTTP/1.1', local)).toBe('404 not_found')
  expect(await ask('GET /stats HTTP/1.0')).toBe('400 bad_host')
  expect(await ask('POST /publish HTTP/1.0')).toBe('400 bad_host')
  expect(await ask('GET / HTTP/1.0')).toBe('400 bad_host')
})

const rebuild = 'POST /projections/totals/rebuild HTTP/1.1'
const drop = 'DELETE /projections/totals HTTP/1.1'
test.each([rebuild, drop, 'POST /nothing HTTP/1.1', 'PUT /publish HTTP/1.1', 'PATCH /stats HTTP/1.1'])(
  '%s: not for a page of another site',
  async (line) => {
    const foreign = '403 foreign_origin'
    expect(await ask(line, local, 'Origin: https://evil.example')).toBe(foreign)
    expect(await ask(line, local, 'Origin: null')).toBe(foreign)
    expect(await ask(line, local, 'Origin: http://localhost', 'Origin: http://evil')).toBe(foreign)
    expect(await ask(line, local, 'Origin: http://evil', 'Origin: http://localhost')).toBe(foreign)
    expect(await ask(line, local, 'Sec-Fetch-Site: cross-site')).toBe(foreign)
    expect(await ask(line, local, 'Sec-Fetch-Site: same-site')).toBe(foreign)
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=a',
      'text/plain',
    ]) {
      expect(await ask(line, local, `Content-Type: ${type}`)).toBe('415 unsupported_media_type')
    }
    const twice = ['Content-Type: application/json', 'Content-Type: text/plain']
    expect(await ask(line, local, ...twice)).toBe('415 unsupported_media_type')
  },
)

test('a rebuild or a drop that no foreign page sends gets as far as PostgreSQL', async () => {
  for (const headers of [
    [],
    ['Origin: http://localhost', 'Sec-Fetch-Site: same-origin'],
    ['Content-Type: application/json'],
  ]) {
    expect(await ask(rebuild, local, ...headers)).toBe('503 store_unavailable')
    expect(await ask(drop, local, ...headers)).toBe('503 store_unavailable')
  }
})

test('a page of another site may ask, and must not be able to read', async () => {
  const headers = [local, 'Origin: https://evil.example', 'Sec-Fetch-Site: cross-site']
  expect(await ask('GET /healthz HTTP/1.1', ...headers)).toBe('200') // ask() looks for CORS headers
  expect(await ask('OPTIONS /publish HTTP/1.1', ...headers, 'Access-Control-Request-Method: POST')).toBe(
    '204',
  )
})

test('nothing but the request line says what is asked', async () => {
  const override = ['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /publish', 'X-Rewrite-URL: /publish']
  expect(await ask('GET /healthz HTTP/1.1', local, ...override)).toBe('200')
  const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__']
  expect(await ask('GET /healthz HTTP/1.1', local, 'Upgrade: websocket', ...upgrade)).toBe('200')
  expect(await ask('GET /healthz HTTP/1.1', local, 'Upgrade: h2c', ...upgrade)).toBe('200')
  expect(await ask('CONNECT localhost:80 HTTP/1.1', local)).toBe('405 method_not_allowed')
})
