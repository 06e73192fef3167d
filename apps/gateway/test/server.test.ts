/** What only a real socket shows. */
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { readStreams } from '@sekali/broker/streams'
import { InvalidConfig } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { serveHttp } from '../src/sockets/server.ts'
import { exchange } from './exchange.ts'
import { eventBody, nowhere, post, problemIn } from './gateway.ts'
import { anyPort, type ServedGateway, serveGateway } from './served-gateway.ts'

let gateway: ServedGateway
beforeAll(async () => {
  gateway = await serveGateway(nowhere)
  gateway.app.get('/fault', () => {
    throw new Error('secret')
  })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const head =
  'POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n'

test('without Redis an event is refused in under two seconds, again and again', async () => {
  for (let round = 0; round < 3; round++) {
    const started = performance.now()
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${gateway.url}/publish`, post(eventBody()))),
    )
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(responses.map((response) => response.status)).toEqual(Array.from({ length: 20 }, () => 503))
    await Promise.all(responses.map((response) => response.arrayBuffer()))
  }
})

test('a body in chunks is measured as it comes', async () => {
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  const chunks = Array.from({ length: Math.ceil(limits.bodyBytesMax / 0x4000) + 1 }, () => chunk)
  const answer = await exchange(
    gateway.url,
    `${head}Transfer-Encoding: chunked\r\n\r\n`,
    ...chunks,
    '0\r\n\r\n',
  )
  expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  expect(answer).toContain('"code":"body_too_large"')
})

test('a body in small chunks is read whole', async () => {
  const chunks = [...'[1,"é"]'].map((c) => `${Buffer.byteLength(c).toString(16)}\r\n${c}\r\n`)
  const answer = await exchange(
    gateway.url,
    `${head}Transfer-Encoding: chunked\r\n\r\n`,
    ...chunks,
    '0\r\n\r\n',
  )
  expect(answer).toContain('"code":"invalid_event"')
})

test('a body that says it is too large is not waited for', async () => {
  const answer = await exchange(gateway.url, `${head}Content-Length: ${limits.bodyBytesMax + 1}\r\n\r\n`, 'x')
  expect(answer).toMatch(/^HTTP\/1\.1 413 /)
})

test('a body exactly as large as allowed is read', async () => {
  const body = eventBody().padEnd(limits.bodyBytesMax, ' ')
  expect((await fetch(`${gateway.url}/publish`, post(body))).status).toBe(503)
  expect((await fetch(`${gateway.url}/publish`, post(`${body} `))).status).toBe(413)
})

test('a length and chunks at once are refused, because two servers would read them differently', async () => {
  const answer = await exchange(
    gateway.url,
    `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
    '0\r\n\r\n',
  )
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
})

test('clients that hold a request open take nothing from the others', async () => {
  await using broker = await ownBroker()
  const redisUrl = inject('redisUrl')
  await using shared = await serveGateway({ ...nowhere, redisUrl, prefix: broker.prefix })
  const open = (request: string) =>
    new Promise<Socket>((resolve) => {
      const socket = connect(Number(new URL(shared.url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(request, () => resolve(socket))
    })
  const line = `${eventBody({ topic: 'held' })}\n`
  const stream = head.replace('application/json', 'application/x-ndjson')
  const sockets = await Promise.all([
    // Headers that announce more, all together, than may be in memory …
    ...Array.from({ length: 200 }, () => open(`${head}Content-Length: ${limits.bodyBytesMax}\r\n\r\n`)),
    ...Array.from({ length: 20 }, () => open(`${head}Content-Length: ${limits.batchBytesMax}\r\n\r\n[`)),
    // … and streams that pause after a line and a half.
    ...Array.from({ length: 200 }, () =>
      open(`${stream}Content-Length: 100000\r\n\r\n${line}${line.slice(0, 50)}`),
    ),
  ])
  await eventually(async () => {
    expect((await readStreams(broker)).get('held')?.entriesAdded).toBe(200)
  })
  expect((await fetch(`${shared.url}/publish`, post(eventBody()))).status).toBe(200)
  for (const socket of sockets) socket.destroy()
})

test("what has arrived counts: beyond a client's share is 429, others have room, and once it is gone it has too", async () => {
  const sockets: Socket[] = []
  const megabyte = ' '.repeat(1024 * 1024)
  for (let index = 0; index < 5; index++) {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.write(`${head}Content-Length: ${limits.batchBytesMax}\r\n\r\n[`)
    for (let sent = 0; sent < 7; sent++) socket.write(megabyte)
  }
  const code = async () => (await problemIn(await fetch(`${gateway.url}/publish`, post('{}')))).code
  const isCode = (expected: string) => async () => expect(await code()).toBe(expected)
  const answers = await Promise.race(sockets.map((socket) => once(socket, 'data')))
  expect(String(answers[0])).toContain('"code":"client_limit"')
  const other = connect({
    port: Number(new URL(gateway.url).port),
    host: '127.0.0.1',
    localAddress: '127.0.0.2',
  })
  other.write(`${head}Content-Length: 2\r\n\r\n{}`)
  expect(await text(other)).toContain('"code":"invalid_event"')
  for (const socket of sockets) socket.destroy()
  await eventually(isCode('invalid_event'))
})

test('a client that leaves in mid-body harms nobody', async () => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`${head}Content-Length: 1000\r\n\r\n{"topic":`)
  socket.destroy()
  await once(socket, 'close')
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
})

test('a client that never finishes its request is hung up on', async () => {
  await using impatient = await serveHttp(gateway.listener, {
    ...anyPort,
    headersTimeoutMs: 200,
    requestTimeoutMs: 400,
    checkEveryMs: 100,
  })
  const [slowHead, slowBody] = await Promise.all([
    exchange(impatient.url, 'POST /publish HTTP/1.1\r\nHost: localhost\r\n'),
    exchange(impatient.url, `${head}Content-Length: 1000\r\n\r\n{"topic":`),
  ])
  expect(slowHead).toMatch(/^HTTP\/1\.1 408 /)
  expect(slowBody).toMatch(/^HTTP\/1\.1 408 /)
})

test('headers beyond the limit are refused', async () => {
  const answer = await exchange(gateway.url, `${head}X: ${'x'.repeat(20_000)}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 431 /)
})

test.each(['TRACE', 'PROPFIND'])('%s is an ordinary 405', async (method) => {
  const answer = await exchange(
    gateway.url,
    `${method} /publish HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1\.1 405 /)
  expect(answer).toContain('Allow: POST, OPTIONS')
})

test('a fault of ours goes to the log and to nobody else', async () => {
  const response = await fetch(`${gateway.url}/fault`)
  const problem = await problemIn(response)
  expect(problem).toMatchObject({ status: 500, code: 'internal_error' })
  expect(JSON.stringify(problem)).not.toContain('secret')
})

function slowListener() {
  const started = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const listener: RequestListener = async (_, response) => {
    started.resolve()
    await finish.promise
    response.end('done')
  }
  return { listener, started: started.promise, finish: finish.resolve }
}

test('closing answers what is in flight and takes nothing new', async () => {
  const { listener, started, finish } = slowListener()
  const slow = await serveHttp(listener, anyPort)
  const answer = fetch(`${slow.url}/slow`)
  await started
  const closed = slow[Symbol.asyncDispose]()
  await expect(fetch(`${slow.url}/slow`)).rejects.toThrow()
  finish()
  const response = await answer
  expect(await response.text()).toBe('done')
  expect(response.headers.get('connection')).toBe('close')
  await closed
  await slow[Symbol.asyncDispose]()
})

test('closing does not wait for ever', async () => {
  const { listener, started } = slowListener()
  const slow = await serveHttp(listener, { ...anyPort, drainMs: 100 })
  const answer = fetch(`${slow.url}/slow`).catch((error: unknown) => error)
  await started
  await slow[Symbol.asyncDispose]()
  expect(await answer).toBeInstanceOf(Error)
})

test('a port that is taken is reported plainly', async () => {
  const port = Number(new URL(gateway.url).port)
  const second = serveHttp(() => {}, { ...anyPort, port })
  await expect(second).rejects.toThrow(InvalidConfig)
  await expect(second).rejects.toThrow(`127.0.0.1:${port} is taken by another process`)
})
