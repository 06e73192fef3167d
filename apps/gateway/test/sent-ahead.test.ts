/** Requests that come before the response to those ahead of them is taken, and bodies that come late. */
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { type Answer, closing, get, holdOrDone, megabyte, room, serve } from './serve.ts'

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

test('a long answer comes whole, whatever its client sends behind the request', async () => {
  const long = 'a'.repeat(4 * megabyte)
  await using server = await serve((_, response) => void response.end(long))
  const garbage = 'x'.repeat(300_000)
  const answers = await server.ask('127.0.0.1', get('/1') + garbage)
  expect(answers).toContain(long)
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
  // Whose answer is the last on its connection gets no words about what follows.
  const last = await server.ask('127.0.0.1', get('/2', closing) + garbage)
  expect(last).toContain(long)
  expect(last.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200'])
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
