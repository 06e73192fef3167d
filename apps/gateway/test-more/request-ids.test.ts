/** What requests are called, in answers and in the log. */
import type { Logger } from '@sekali/process/log'
import { upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { serveHttp } from '../src/sockets/server.ts'
import { exchange } from '../test/exchange.ts'
import { eventBody, nowhere, post } from '../test/gateway.ts'
import { ownKeys } from '../test/own-keys.ts'
import { anyPort, serveGateway } from '../test/served-gateway.ts'

const idOf = ({ headers }: Response) => headers.get('x-request-id')

test('an answer says which request it is to: by the name that came with it, or else by one of ours', async () => {
  await using gateway = await serveGateway(nowhere)
  const call = async (path: string, headers = {}, init: RequestInit = {}) =>
    idOf(await fetch(`${gateway.url}${path}`, { ...init, headers: { ...headers } }))
  const paths = ['/healthz', '/nope', '/stats', '/events?topic=a', '//', '/publish']
  for (const path of paths) expect(await call(path, { 'X-Request-Id': 'mine-1' }), path).toBe('mine-1')
  const { body = null } = post(eventBody())
  const json = { 'Content-Type': 'application/json' }
  const publishing = { method: 'POST', body }
  expect(await call('/publish', { ...json, 'X-Request-Id': '0af7/B+=@:.x' }, publishing)).toBe('0af7/B+=@:.x')

  const made = [
    await call('/publish', json, publishing),
    await call('/nope'),
    await call('/publish', json, publishing),
  ]
  for (const id of made) expect(id).toMatch(/^[\w-]{8,64}$/)
  expect(new Set(made).size).toBe(3)
})

test('answers before any route have it too: without a key, without room, at the door, and to preflights; and tails do', async () => {
  const Origin = 'https://app.example.com'
  await using own = await ownKeys({ corsOrigins: [Origin] })
  const { text } = await own.make({ scopes: ['read'] })
  const slow = (await own.make({ scopes: ['publish'], eventsPerSecond: 1 })).text
  const headers = { 'X-Request-Id': 'mine-2' }
  const asking = { ...headers, Origin, 'Access-Control-Request-Method': 'POST' }
  const answers = [
    [401, await own.ask('/events', undefined, { headers })],
    [403, await own.ask('/publish', text, post(eventBody(), headers))],
    [204, await own.ask('/publish', undefined, { method: 'OPTIONS', headers: asking })],
    [200, await own.ask('/tail?topic=a&from=start', text, { method: 'HEAD', headers })],
  ] as const
  for (const [status, answer] of answers) expect([answer.status, idOf(answer)]).toEqual([status, 'mine-2'])
  const statuses = new Set<number>()
  while (!statuses.has(429)) {
    for (const answer of await Promise.all(
      upTo(5).map(() => own.ask('/publish', slow, post(eventBody(), headers))),
    )) {
      statuses.add(answer.status)
      expect(idOf(answer)).toBe('mine-2')
    }
  }
  const left = new AbortController()
  const tail = await own.ask('/tail?topic=a&from=start', text, { headers, signal: left.signal })
  expect([tail.status, idOf(tail)]).toEqual([200, 'mine-2'])
  left.abort()
  await using open = await serveGateway(nowhere)
  const evil = { ...headers, Origin: 'https://evil.example' }
  const refused = await fetch(`${open.url}/publish`, post(eventBody(), evil))
  expect([refused.status, idOf(refused)]).toEqual([403, 'mine-2'])
})

test('what is no request gets one of ours, and a request whose body is broken its own', async () => {
  await using gateway = await serveGateway(nowhere)
  const name = async (...lines: string[]) =>
    /^x-request-id: (.*)\r$/im.exec(await exchange(gateway.url, `${lines.join('\r\n')}\r\n\r\n`))?.[1]
  expect(await name('nonsense')).toMatch(/^[\da-f]{12}-/)
  const head = ['POST /publish HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']
  const mine = [...head, 'X-Request-Id: mine-3', 'Transfer-Encoding: chunked']
  expect(await name(...mine, '', 'no size')).toBe('mine-3')
})

test.each([
  ['has a blank', 'a b'],
  ['has a quote', 'a"b'],
  ['is too long', 'a'.repeat(129)],
  ['is empty', ''],
  ['has what is not ASCII', 'caf\u00e9'],
])('a name that %s is not taken', async (_, name) => {
  await using gateway = await serveGateway(nowhere)
  const answer = await fetch(`${gateway.url}/nope`, { headers: { 'X-Request-Id': name } })
  expect(idOf(answer)).toMatch(/^[\da-f]{12}-/)
})

test('a line of the log about a request has its name, and nothing of what was sent', async () => {
  const lines: Record<string, unknown>[] = []
  const capture = (fields: object): Logger =>
    ({
      child: (more: object) => capture({ ...fields, ...more }),
      error: (more: object, msg: string) => lines.push({ ...fields, ...more, msg }),
    }) as unknown as Logger
  const fault = () => {
    throw new TypeError('a fault of ours')
  }
  const routes = [{ method: 'GET', path: '/stats', handler: fault }] as const
  const { listener } = createApp(routes, { log: capture({}), random: Math.random })
  await using server = await serveHttp(listener, anyPort)
  const answer = await fetch(`${server.url}/stats?secret=1`, { headers: { 'X-Request-Id': 'find-me' } })
  expect([answer.status, idOf(answer)]).toEqual([500, 'find-me'])
  expect(lines).toMatchObject([{ request_id: 'find-me', msg: 'request failed', err: { name: 'TypeError' } }])
  expect(JSON.stringify(lines)).not.toContain('secret')
})
