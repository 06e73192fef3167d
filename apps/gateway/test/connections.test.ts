/** What a client may do with connections, as only real sockets show it. */
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createClients } from '../src/clients/clients.ts'
import { createProbes, serveProbes } from '../src/operate/probes.ts'
import { createConnections } from '../src/sockets/connections.ts'
import { type ServerOptions, serveHttp } from '../src/sockets/server.ts'
import { createGateway, nowhere } from './gateway.ts'

const megabyte = 1024 * 1024
const get = (path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server whose requests stay under way unless `answer` answers them. */
async function serve(answer: Answer = () => {}, options: Partial<ServerOptions> = {}) {
  const stack = new AsyncDisposableStack()
  const begun: string[] = []
  const listener: RequestListener = (request, response) => {
    begun.push(request.url ?? '')
    answer(request, response)
  }
  const server = await serveHttp(listener, { host: '127.0.0.1', port: 0, drainMs: 0, ...options })
  stack.use(server)
  const open = async (from = '127.0.0.1', sent = ''): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port), localAddress: from })
    stack.defer(() => void socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    if (sent !== '') socket.write(sent)
    return socket
  }
  return {
    url: server.url,
    begun,
    open,
    /** Sends requests and resolves with all that comes back. */
    ask: async (from: string, sent: string) => await text(await open(from, sent)),
    /** Resolves once so many requests have been begun. */
    hasBegun: (count: number) => eventually(() => expect(begun.length).toBe(count)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const closing = 'Connection: close\r\n'
const room = (ordinaryMax: number) => ({ connections: createConnections({ ordinaryMax }) })
const done: Answer = (_, response) => void response.end('done')
const holdOrDone: Answer = (request, response) => request.url === '/held' || done(request, response)

test('a client alone has three quarters of all requests under way, and there is room for others', async () => {
  await using server = await serve(holdOrDone, room(8))
  const held = await Promise.all(Array.from({ length: 6 }, () => server.open('127.0.0.1', get('/held'))))
  await server.hasBegun(6)
  const refused = await server.ask('127.0.0.1', get())
  expect(refused).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/)
  expect(refused).toMatch(/\r\nRetry-After: [123]\r\n/)
  expect(refused).toContain('\r\nConnection: close\r\n')
  expect(refused).toContain('"code":"client_limit"')
  expect(await server.ask('127.0.0.2', get('/', closing))).toContain('done')
  held[0]?.destroy()
  await eventually(async () => expect(await server.ask('127.0.0.1', get('/', closing))).toContain('done'))
})

test('behind a trusted proxy it is whom it forwards that has a share', async () => {
  const connections = createConnections({ ordinaryMax: 8, clients: createClients(['127.0.0.1']) })
  await using server = await serve(holdOrDone, { connections })
  const as = (client: string) => `X-Forwarded-For: ${client}\r\n`
  for (let n = 0; n < 6; n++) await server.open('127.0.0.1', get('/held', as('192.0.2.1')))
  await server.hasBegun(6)
  expect(await server.ask('127.0.0.1', get('/', as('192.0.2.1')))).toContain('"code":"client_limit"')
  expect(await server.ask('127.0.0.1', get('/', as('192.0.2.2') + closing))).toContain('done')
})

test.each([
  ['say nothing', ''],
  ['never finish a head', 'GET / HTTP/1.1\r\nHost: a\r\n'],
  ['have had their answer, and do not read it', get()],
])('connections that %s give way to those who come, the longest idle first', async (_, sent) => {
  await using server = await serve(done, room(8))
  const gone: number[] = []
  for (let n = 0; n < 8; n++) {
    const socket = await server.open('127.0.0.1', sent)
    socket.once('close', () => gone.push(n)).on('data', () => {})
    if (sent === get()) await server.hasBegun(n + 1)
  }
  expect(await server.ask('127.0.0.2', get('/', closing))).toContain('done')
  await eventually(() => expect(gone).toEqual([0]))
  for (let n = 0; n < 3; n++) await server.open('127.0.0.1')
  await eventually(() => expect(gone).toEqual([0, 1, 2]))
})

test('whoever comes again and again closes its own connections', async () => {
  await using server = await serve(done, room(8))
  const patient = await server.open('127.0.0.2')
  const isOpen = () => !patient.readableEnded && !patient.destroyed
  for (let n = 0; n < 30; n++) await server.open('127.0.0.1')
  expect(isOpen()).toBe(true)
  patient.write(get('/', closing))
  expect(await text(patient)).toContain('done')
})

test('when all are busy a newcomer is told so, whether it has sent something or not', async () => {
  await using server = await serve(holdOrDone, room(3))
  for (let n = 0; n < 3; n++) await server.open('127.0.0.1', get('/held'))
  await server.hasBegun(3)
  const answers = await Promise.all([
    server.ask('127.0.0.2', get()),
    server.ask('127.0.0.2', ''),
    // More than are waited for.
    ...Array.from({ length: 100 }, () => server.ask('127.0.0.2', '')),
  ])
  for (const answer of answers) {
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n(.*\r\n)*Retry-After: [123]\r\n/)
    expect(answer).toContain('\r\nConnection: close\r\n')
    expect(answer).toContain('"code":"overloaded"')
  }
  expect(server.begun.length).toBe(3)
})

test('of the tails, too, a client alone has three quarters', async () => {
  const connections = createConnections({ ordinaryMax: 4, tailsMax: 8 })
  const outcomes: unknown[] = []
  const answer: Answer = ({ socket }) => {
    try {
      outcomes.push(connections.becomeTail(socket))
    } catch (error) {
      outcomes.push((error as { code: string }).code)
    }
  }
  await using server = await serve(answer, { connections })
  for (let n = 1; n <= 7; n++) {
    await server.open('127.0.0.1', get())
    await server.hasBegun(n)
  }
  await server.open('127.0.0.2', get())
  await server.hasBegun(8)
  expect(outcomes).toEqual([true, true, true, true, true, true, 'client_limit', true])
})

test('of requests sent ahead none is begun before the response before it is taken', async () => {
  const page = Buffer.alloc(24 * megabyte) // more than the kernel takes of it
  await using server = await serve((_, response) => void response.end(page))
  const ahead = get('/events?limit=1000').repeat(1_000)
  const sockets = await Promise.all(Array.from({ length: 3 }, () => server.open('127.0.0.1', ahead)))
  for (const socket of sockets) socket.pause()
  await server.hasBegun(3)
  // Whoever comes later has been answered: so would have been those who came before.
  const [other] = await Promise.all([server.open(), server.hasBegun(3)])
  other.write(get())
  await server.hasBegun(4)
})

test('a thousand requests sent ahead are all answered, in their order', async () => {
  await using server = await serve(({ url }, response) => {
    if (url?.endsWith('7')) setImmediate(() => response.end(url))
    else response.end(url)
  })
  const numbers = Array.from({ length: 1_000 }, (_, n) => n)
  const answers = await server.ask(
    '127.0.0.1',
    numbers.map((n) => get(`/${n}`, n === 999 ? closing : '')).join(''),
  )
  expect([...answers.matchAll(/\r\n\r\n\/(\d+)/g)].map(([, n]) => Number(n))).toEqual(numbers)
})

test('when too much waits for what came before, its connection is cut, and nothing of it is begun', async () => {
  await using server = await serve(holdOrDone)
  const ahead = get('/held') + get('/').repeat(2_000)
  const sockets = await Promise.all(Array.from({ length: 3 }, () => server.open('127.0.0.1', ahead)))
  await eventually(() => expect(sockets.some(({ closed }) => closed)).toBe(true))
  expect(server.begun).toEqual(['/held', '/held', '/held'])
  expect(await server.ask('127.0.0.2', get('/', closing))).toContain('done')
})

test.each([
  ['expects what there is not', 'GET /2 HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n', 417],
  ['is none', 'nonsense\r\n\r\n', 400],
])('a request that %s is refused after those before it are answered', async (_, second, status) => {
  await using server = await serve((_, response) => void setTimeout(() => response.end('first'), 50))
  const answers = await server.ask('127.0.0.1', get('/1') + second)
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`])
  expect(answers.indexOf('first')).toBeLessThan(answers.indexOf(String(status)))
  expect(server.begun).toEqual(['/1'])
})

const requestTimeoutMs = 200
const impatient = { requestTimeoutMs, headersTimeoutMs: requestTimeoutMs, checkEveryMs: 50 }
const post = (length: number, type = 'application/json') =>
  `POST /body HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`
/** Answers a body when it has read it, and all else after so long. */
const answerAfter =
  (ms: number): Answer =>
  (request, response) => {
    if (request.method === 'POST') request.resume().once('end', () => response.end('read'))
    else setTimeout(() => response.end('first'), ms)
  }

test.each([
  ['stops coming', `${post(1_000)}[`, 408],
  [
    'breaks off in a chunk',
    `${post(1_000).replace('Content-Length: 1000', 'Transfer-Encoding: chunked')}x`,
    400,
  ],
])(
  'a body that %s while its request waits is refused, and its place is free again',
  async (_, second, status) => {
    await using server = await serve(answerAfter(3 * requestTimeoutMs), { ...room(4), ...impatient })
    const ahead = get('/1') + second
    const answers = await Promise.all(Array.from({ length: 3 }, () => server.ask('127.0.0.1', ahead)))
    for (const answer of answers) {
      expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`])
    }
    expect(server.begun).toEqual(['/1', '/1', '/1'])
    expect(await server.ask('127.0.0.1', get('/', closing))).toContain('first')
  },
)

test('a client that leaves while its last words wait is let go, and its place is free again', async () => {
  const answers = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const answer: Answer = async (request, response) => {
    sockets.add(request.socket)
    if (request.url === '/held') await answers.promise
    response.end('done')
  }
  await using server = await serve(answer, { ...room(4), ...impatient })
  const ahead = `${get('/held')}${post(1_000)}[`
  const clients = await Promise.all(Array.from({ length: 3 }, () => server.open('127.0.0.1', ahead)))
  await server.hasBegun(3)
  await eventually(() => expect([...sockets].every((socket) => socket.isPaused())).toBe(true))
  for (const client of clients) client.destroy()
  answers.resolve()
  await eventually(() => expect([...sockets].every(({ destroyed }) => destroyed)).toBe(true))
  expect(await server.ask('127.0.0.1', get('/', closing))).toContain('done')
})

test.each([
  ['read, if its turn comes in time', 0, ['200', '200']],
  ['refused, if not', 3 * requestTimeoutMs, ['200', '408']],
])('a large body behind another request is %s', async (_, ms, statuses) => {
  await using server = await serve(answerAfter(ms), { ...room(4), ...impatient })
  const socket = await server.open('127.0.0.1', get('/1') + post(megabyte).replace('Host', `${closing}Host`))
  socket.write(Buffer.alloc(megabyte))
  let answers = ''
  socket.on('data', (bytes) => {
    answers += bytes
  })
  await eventually(() => expect(socket.closed).toBe(true)) // by a reset, as it has sent what was not read
  expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(statuses)
})

test.each([
  ['application/X-NDJSON; charset=utf-8', 'read'],
  ['application/x-ndjson-not', '408'],
])('whether %s may take longer than a request does not depend on case or prefix', async (type, outcome) => {
  await using server = await serve(answerAfter(0), impatient)
  const socket = await server.open('127.0.0.1', post(2, type).replace('Host', `${closing}Host`))
  setTimeout(() => socket.write('{}'), 3 * requestTimeoutMs)
  expect(await text(socket)).toContain(outcome)
})

const stalledMs = 500

test.each([
  ['reads nothing', undefined],
  ['reads a byte now and then', 1],
])('a client that %s of its answer is cut off in time', async (_, bytes) => {
  let closedAt = 0
  const answer: Answer = (_, response) => {
    response.once('close', () => {
      closedAt = performance.now()
    })
    response.end(Buffer.alloc(32 * megabyte))
  }
  await using server = await serve(answer, { stalledMs })
  const socket = await server.open('127.0.0.1', get())
  await server.hasBegun(1)
  const startedAt = performance.now()
  socket.pause()
  const reading = bytes && setInterval(() => socket.read(bytes), 20)
  await eventually(() => expect(closedAt).toBeGreaterThan(0), 5 * stalledMs)
  clearInterval(reading)
  expect(closedAt - startedAt).toBeGreaterThan(stalledMs * 0.9)
})

test('a client that is slow and goes on is served to the end', async () => {
  const size = 32 * megabyte
  await using server = await serve((_, response) => void response.end(Buffer.alloc(size)), { stalledMs })
  const socket = await server.open('127.0.0.1', get('/', closing))
  let read = 0
  const startedAt = performance.now()
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    read += chunk.length
    const ahead = (read / size) * 3 * stalledMs - (performance.now() - startedAt)
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead))
  }
  expect(read).toBeGreaterThan(size)
})

test('health is answered on a port of its own while the door is full', async () => {
  await using gateway = createGateway(nowhere)
  const parts = { readiness: gateway.readiness, signal: gateway.drain.signal }
  await using probes = await serveProbes(createProbes(parts, createLog('gateway', 'silent')), {
    host: '127.0.0.1',
    port: 0,
  })
  await using server = await serve(holdOrDone, room(2))
  for (let n = 0; n < 2; n++) await server.open('127.0.0.1', get('/held'))
  await server.hasBegun(2)
  expect((await fetch(server.url)).status).toBe(503)
  const status = async (path: string) => (await fetch(`${probes.url}${path}`)).status
  expect(await status('/healthz')).toBe(200)
  expect(await status('/readyz')).toBe(503) // there is no Redis
  expect(await status('/events')).toBe(404)
  const socket = connect(Number(new URL(probes.url).port), '127.0.0.1')
  socket.write('OPTIONS / HTTP/1.0\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 503 /)
})
