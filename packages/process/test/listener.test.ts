import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createLook, type Health, healthRoutes, type Look } from '../src/operate/health.ts'
import { type ListenerRoute, serveRoutes } from '../src/operate/listener.ts'
import { createLog } from '../src/start/log.ts'

const log = createLog('test', 'silent')
const anyPort = { host: '127.0.0.1', port: 0, variables: 'HEALTH_HOST and HEALTH_PORT' } as const
const serve = (routes: readonly ListenerRoute[], answerMs = 1_500) =>
  serveRoutes(routes, { ...anyPort, answerMs }, log)

const fine: Look = { state: 'ok', problems: [], warnings: [] }
const routesOf = (health: Health, signal = new AbortController().signal) =>
  healthRoutes(async () => health, signal)

const portOf = (url: string) => Number(new URL(url).port)

async function exchange(url: string, sent: string): Promise<string> {
  const socket = connect(portOf(url), '127.0.0.1')
  socket.write(sent)
  return await text(socket)
}

test('healthz says that the process serves, and readyz what is wrong', async () => {
  const broken: Health = {
    broker: { state: 'unavailable', problems: ['Redis is away'], warnings: [] },
    store: { ...fine, warnings: ['fsync is off'] },
    own: { problems: ['no definitions'], warnings: [] },
  }
  await using well = await serve(routesOf({ broker: fine, store: fine }))
  await using ill = await serve(routesOf(broken))
  const ready = await fetch(`${well.url}/readyz`)
  expect(ready.status).toBe(200)
  expect(ready.headers.get('content-type')).toBe('application/json')
  expect(await ready.json()).toEqual({
    status: 'ready',
    broker: 'ok',
    store: 'ok',
    problems: [],
    warnings: [],
  })
  expect((await fetch(`${ill.url}/healthz`)).status).toBe(200)
  const not = await fetch(`${ill.url}/readyz?verbose`)
  expect(not.status).toBe(503)
  expect(await not.json()).toEqual({
    status: 'not_ready',
    broker: 'unavailable',
    store: 'ok',
    problems: ['Redis is away', 'no definitions'],
    warnings: ['fsync is off'],
  })
})

test('a process that leaves is not ready any more', async () => {
  const leaving = new AbortController()
  await using listener = await serve(routesOf({ broker: fine, store: fine }, leaving.signal))
  leaving.abort()
  const answer = await fetch(`${listener.url}/readyz`)
  expect(answer.status).toBe(503)
  expect(await answer.json()).toMatchObject({ status: 'draining' })
  expect((await fetch(`${listener.url}/healthz`)).status).toBe(200)
})

test('load balancers may ask with HEAD, OPTIONS and HTTP/1.0; other methods and paths are refused', async () => {
  await using listener = await serve(routesOf({ broker: fine, store: fine }))
  const { url } = listener
  expect(await exchange(url, 'HEAD /readyz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\n$/s)
  expect(await exchange(url, 'OPTIONS / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await exchange(url, 'OPTIONS * HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  const post = await fetch(`${url}/readyz`, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(post.status).toBe(405)
  expect(post.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  expect(await post.json()).toMatchObject({ status: 405, code: 'method_not_allowed' })
  const nothing = await fetch(`${url}/events`)
  expect(nothing.status).toBe(404)
  expect(await nothing.json()).toMatchObject({ code: 'not_found' })
})

test('a route that never answers, or fails, is answered for', async () => {
  const routes = [
    { path: '/never', answer: () => new Promise<never>(() => undefined) },
    {
      path: '/fails',
      answer: () => {
        throw new Error('secret')
      },
    },
  ]
  await using listener = await serve(routes, 50)
  const never = await fetch(`${listener.url}/never`)
  expect({ status: never.status, body: await never.json() }).toMatchObject({
    status: 503,
    body: { code: 'timeout' },
  })
  const fails = await fetch(`${listener.url}/fails`)
  const body = await fails.text()
  expect(fails.status).toBe(500)
  expect(body).not.toContain('secret')
})

test('a crowd of callers who say nothing keeps nobody from an answer', async () => {
  await using listener = await serve(routesOf({ broker: fine, store: fine }))
  const sockets: Socket[] = []
  for (let n = 0; n < 100; n++) {
    const socket = connect(portOf(listener.url), '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
  }
  expect((await fetch(`${listener.url}/healthz`)).status).toBe(200)
  // Hung up on at once: who is only slow is told that it is (408).
  for (const socket of sockets.slice(0, 60)) expect(await text(socket)).toBe('')
  for (const socket of sockets) socket.destroy()
})

test('an address that cannot be listened on is named with its variables', async () => {
  await using taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const options = { ...anyPort, port }
  await expect(serveRoutes([], options, log)).rejects.toThrow(
    `HEALTH_HOST and HEALTH_PORT: 127.0.0.1:${port} is taken by another process`,
  )
})

test('a look that hangs is given up in time, is not joined by another, and is looked at again once it is over', async () => {
  let looks = 0
  let release = () => {}
  const look = createLook(
    'PostgreSQL',
    () => {
      looks++
      const found = { problems: [], warnings: [] }
      if (looks > 1) return Promise.resolve(found)
      return new Promise((resolve) => {
        release = () => resolve(found)
      })
    },
    20,
    0,
  )
  const gaveUp = {
    state: 'unavailable',
    problems: [expect.stringContaining('does not answer')],
    warnings: [],
  }
  expect(await look()).toEqual(gaveUp)
  expect(await Promise.all([look(), look()])).toEqual([gaveUp, gaveUp])
  expect(looks).toBe(1)
  release()
  await expect.poll(look).toMatchObject({ state: 'ok' })
})

test('a look that fails says why', async () => {
  const look = createLook('PostgreSQL', () =>
    Promise.reject(Object.assign(new Error('secret'), { code: '28P01' })),
  )
  expect(await look()).toEqual({
    state: 'unavailable',
    problems: [expect.stringMatching(/refuses the user or the password \(28P01\): correct them/)],
    warnings: [],
  })
})
