/** Every answer is in the same form, whoever makes it, and says what becomes of the connection. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { createLog } from '@sekali/process/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createProbes, serveProbes } from '../src/operate/probes.ts'
import type { HttpServer } from '../src/sockets/server.ts'
import { exchange } from './exchange.ts'
import { eventBody, nowhere } from './gateway.ts'
import { anyPort, type ServedGateway, serveGateway } from './served-gateway.ts'

let gateway: ServedGateway
/** What is not whole at once is late for it: on a busy machine that is true of more than is sent in halves. */
let impatient: ServedGateway
let probes: HttpServer
beforeAll(async () => {
  gateway = await serveGateway(nowhere)
  const times = { headersTimeoutMs: 200, requestTimeoutMs: 400, checkEveryMs: 100 }
  impatient = await serveGateway(nowhere, times)
  const { readiness, drain } = gateway
  const log = createLog('gateway', 'silent')
  probes = await serveProbes(createProbes({ readiness, signal: drain.signal }, log), anyPort)
})
afterAll(async () => {
  await probes[Symbol.asyncDispose]()
  await impatient[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

/** An answer that ends a connection, read by what its own head says. */
function parseLast(answer: string) {
  const at = answer.search(/HTTP\/1\.1 \d{3} (?!.*HTTP\/1\.1 \d{3} )/s)
  const [head = '', body = ''] = answer.slice(at).split('\r\n\r\n', 2)
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim()
  expect(Number(field('content-length'))).toBe(Buffer.byteLength(body))
  const status = Number(head.split(' ')[1])
  return { status, field, problem: body === '' ? {} : (JSON.parse(body) as Record<string, unknown>) }
}

const head = (line: string, ...fields: string[]) => [line, 'Host: localhost', ...fields, '', ''].join('\r\n')
const post = 'POST /publish HTTP/1.1'
const json = 'Content-Type: application/json'

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400, 'bad_request'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc', 400, 'bad_request'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request'],
  ['a target with a tab', head('GET /healthz\t HTTP/1.1'), 400, 'bad_request'],
  ['a header without a colon', head('GET /healthz HTTP/1.1', 'x'), 400, 'bad_request'],
  ['two lengths', head(post, json, 'Content-Length: 1', 'Content-Length: 2'), 400, 'bad_request'],
  [
    'length and chunks',
    head(post, json, 'Content-Length: 1', 'Transfer-Encoding: chunked'),
    400,
    'bad_request',
  ],
  ['a bad chunk', `${head(post, json, 'Transfer-Encoding: chunked')}zz\r\n`, 400, 'bad_request'],
  ['an endless head', head('GET /healthz HTTP/1.1', `x: ${'x'.repeat(20_000)}`), 431, 'headers_too_large'],
  [
    'endless chunk extensions',
    `${head(post, json, 'Transfer-Encoding: chunked')}1;${'x'.repeat(20_000)}\r\n`,
    413,
    'body_too_large',
  ],
  ['half a head', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n', 408, 'request_timeout'],
  ['half a body', `${head(post, json, 'Content-Length: 9')}{`, 408, 'request_timeout'],
  ['an expectation', head('GET /healthz HTTP/1.1', 'Expect: a-miracle'), 417, 'expectation_failed'],
  ['a coded body', head(post, json, 'Transfer-Encoding: gzip, chunked'), 501, 'unsupported_transfer_coding'],
  [
    'chunks in HTTP/1.0',
    head('POST /publish HTTP/1.0', json, 'Transfer-Encoding: chunked'),
    400,
    'bad_request',
  ],
])('%s is refused as a problem, and the connection ends', async (_, sent, status, code) => {
  const { url } = status === 408 ? impatient : gateway
  const { field, ...answer } = parseLast(await exchange(url, sent))
  expect(answer).toMatchObject({ status, problem: { status, code, type: 'about:blank' } })
  expect(answer.problem.detail).toMatch(/\.$/)
  expect(field('content-type')).toBe('application/problem+json')
  expect(field('cache-control')).toBe('no-store')
  expect(field('connection')).toBe('close')
})

const chunked = head(post, json, 'Transfer-Encoding: chunked')
test.each([
  ['a length that comes twice', head(post, json, 'Content-Length: 1', 'Content-Length: 2'), /Content-Length/],
  ['a length that is no number', head(post, json, 'Content-Length: x'), /Content-Length/],
  ['a length of 20 digits', head(post, json, `Content-Length: ${'9'.repeat(20)}`), /Content-Length/],
  [
    'a length and chunks',
    head(post, json, 'Content-Length: 1', 'Transfer-Encoding: chunked'),
    /Transfer-Encoding.*Content-Length/,
  ],
  [
    'chunks and a length',
    head(post, json, 'Transfer-Encoding: chunked', 'Content-Length: 1'),
    /Content-Length.*Transfer-Encoding/,
  ],
  ['chunks that are not the last coding', head(post, json, 'Transfer-Encoding: chunked, x'), /Transfer-Enc/],
  ['a chunk without a size', `${chunked}zz\r\n`, /chunk/],
  ['a chunk that is longer than its size', `${chunked}1\r\nabc\r\n`, /chunk|CR LF/],
  ['a method that nobody knows', head('FETCH /healthz HTTP/1.1'), /method/],
  ['a NUL in a header', head('GET /healthz HTTP/1.1', 'X: a\0b'), /header.*control character/],
  ['a blank in the name of a header', head('GET /healthz HTTP/1.1', 'X y: a'), /header.*name/],
  ['a header without a name', head('GET /healthz HTTP/1.1', ': a'), /header.*name/],
  ['a folded header', head('GET /healthz HTTP/1.1', 'X: a', ' b'), /header/],
  ['lines that end in LF alone', head('GET /healthz HTTP/1.1').replaceAll('\r\n', '\n'), /CR LF/],
  ['a CR alone', head('GET /healthz HTTP/1.1', 'X: a\rb'), /CR LF/],
  ['another version', head('GET /healthz HTTP/9.9'), /HTTP\/1\.1/],
  ['another protocol', head('GET /healthz SIP/2.0'), /HTTP\/1\.1/],
  ['a target with a control character', head('GET /a\x01b HTTP/1.1'), /target/],
])('the answer to %s says what is wrong', async (_, sent, rule) => {
  const { status, problem } = parseLast(await exchange(gateway.url, sent))
  expect({ status, problem }).toMatchObject({ status: 400, problem: { code: 'bad_request' } })
  expect(problem.detail).toMatch(rule)
  expect(problem.detail).not.toBe('This is not a request of HTTP/1.1.')
})

test.each(['CONNECT localhost:80 HTTP/1.1', 'CONNECT / HTTP/1.1', 'CONNECT evil:443 HTTP/1.1'])(
  '%s is answered, on either port: nothing here is a proxy',
  async (line) => {
    for (const { url } of [gateway, probes]) {
      const { status, problem, field } = parseLast(await exchange(url, `${head(line)}\x16\x03\x01`))
      expect({ status, problem }).toMatchObject({ status: 405, problem: { code: 'method_not_allowed' } })
      expect(problem.detail).toContain('proxy')
      expect(field('connection')).toBe('close')
      expect(field('content-type')).toBe('application/problem+json')
    }
  },
)

test('what came before a CONNECT is answered first', async () => {
  const answer = await exchange(gateway.url, head('GET /healthz HTTP/1.1'), head('CONNECT a:1 HTTP/1.1'))
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  expect(parseLast(answer)).toMatchObject({ status: 405 })
})

test('whoever speaks TLS or HTTP/2 to the port is told what it speaks', async () => {
  const tls = parseLast(await exchange(gateway.url, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc'))
  expect(tls.problem.detail).toContain('without TLS')
  const h2 = parseLast(await exchange(gateway.url, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'))
  expect(h2.problem.detail).toContain('HTTP/1.1')
})

test.each(['TE: trailers', 'TE: gzip;q=0.5, trailers', 'TE:', 'Trailer: X-Sum'])(
  'a request with %s is answered as one without',
  async (field) => {
    const sent = head('GET /healthz HTTP/1.1', field, 'Connection: close, TE')
    expect(parseLast(await exchange(gateway.url, sent))).toMatchObject({ status: 200 })
  },
)

/** Sends a request whose body does not end, and reads on until the server hangs up. */
async function sendEndless(target: string, ...fields: string[]) {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    answer += piece
  })
  socket.on('error', () => undefined) // it is hung up on while it sends
  socket.write(head(`POST ${target} HTTP/1.1`, 'Content-Length: 100000000', ...fields))
  const more = setInterval(() => socket.writable && socket.write('x'.repeat(10_000)), 10)
  try {
    await new Promise((resolve) => socket.once('close', resolve))
    return parseLast(answer)
  } finally {
    clearInterval(more)
    socket.destroy()
  }
}

test.each([
  ['/publish', 415, ['Content-Type: text/csv']],
  ['/publish', 413, [json]],
  ['/publish', 403, ['Origin: http://evil.example', json]],
  ['/publish/../x', 400, [json]],
  ['/projections/a/rebuild', 413, [json]],
  ['/nothing', 413, [json]],
  ['/stats', 413, [json]],
])(
  'POST %s that is answered %i before its end says that the connection ends',
  async (target, status, fields) => {
    const answer = await sendEndless(target, ...fields)
    expect(answer).toMatchObject({ status, problem: { status } })
    expect(answer.field('connection')).toBe('close')
  },
)

test('a connection that is said to be kept is kept, also after a body that nobody wanted', async () => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  socket.setEncoding('utf8')
  const ask = async (sent: string): Promise<string> => {
    socket.write(sent)
    let answer = ''
    while (!answer.includes('\r\n\r\n')) answer += (await once(socket, 'data'))[0]
    expect(answer).toMatch(/^connection: keep-alive\r$/im)
    return answer
  }
  const body = 'x'.repeat(60_000)
  const sized = `Content-Length: ${body.length}`
  expect(await ask(head('POST /nothing HTTP/1.1', sized) + body)).toContain('404 Not Found')
  expect(await ask(`${head(post, 'Content-Type: text/csv', 'Content-Length: 3')}a,b`)).toContain('415 ')
  expect(await ask(`${head(post, json, 'Content-Length: 3', 'Origin: http://evil')}a,b`)).toContain('403 ')
  expect(await ask(`${head('GET /healthz HTTP/1.1', 'Content-Length: 3')}abc`)).toContain('200 OK')
  expect(await ask(head('DELETE /stats HTTP/1.1', sized) + body)).toContain('405 ')
  const event = eventBody()
  expect(await ask(head(post, json, `Content-Length: ${event.length}`) + event)).toContain('503 ')
  socket.destroy()
})

test('a request that was refused is not read as two: what follows it is not begun', async () => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  socket.write(head(post, 'Content-Type: text/csv', 'Content-Length: 3'))
  const [first] = await once(socket, 'data')
  expect(String(first)).toMatch(/^HTTP\/1.1 415 .*\r\nConnection: close\r\n/s)
  socket.write(`a,b${head('GET /healthz HTTP/1.1')}`)
  expect(await text(socket)).not.toContain('HTTP/1.1')
})

test.each([
  ['Host:', 400],
  ['Host: a b', 400],
  ['Host: localhost/', 400],
  ['Host: 127.0.0.1@evil', 400],
  ['X-Nothing: a', 400],
  ['Host: localhost\r\nHost: localhost', 400],
  ['Host: pool-7.internal', 200],
])('with %j a probe is %i on either port, for GET, HEAD and OPTIONS', async (host, status) => {
  for (const { url } of [gateway, probes]) {
    for (const line of ['GET /healthz', 'HEAD /healthz', 'GET /healthz?x']) {
      const sent = `${line} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`
      expect(await exchange(url, sent)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    }
    const options = `OPTIONS /readyz HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`
    expect(await exchange(url, options)).toMatch(status === 400 ? /^HTTP\/1.1 400 / : /^HTTP\/1.1 503 /)
  }
})
