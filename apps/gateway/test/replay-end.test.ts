/** How a replay ends: whole, and then so that it can be told; or cut, and then so that nobody takes it for whole. */
import { once } from 'node:events'
import { get as httpGet, type RequestListener } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { gunzipSync } from 'node:zlib'
import { eventually } from '@sekali/testkit/eventually'
import { fillLog } from '@sekali/testkit/fill-log'
import { ownStore } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReplayTimes } from '../src/read/replay.ts'
import { serveHttp } from '../src/sockets/server.ts'
import { exchange } from './exchange.ts'
import { nowhere } from './gateway.ts'
import { anyPort, serveGateway } from './served-gateway.ts'

const lines = { Accept: 'application/x-ndjson', 'Accept-Encoding': 'identity' }
const many = 40_000

let store: Awaited<ReturnType<typeof ownStore>>
beforeAll(async () => {
  store = await ownStore()
  await fillLog(store, { many, few: 3 }, { payload: `json_build_object('x', repeat('x', 500))` })
})
afterAll(() => store[Symbol.asyncDispose]())

const ownGateway = (replayTimes: ReplayTimes = {}) =>
  serveGateway({ ...nowhere, databaseUrl: store.url, replayTimes })

/** A replay as nginx asks for it by default: over HTTP/1.0, where an end of the connection is the end of the answer. */
function overHttp10(url: string) {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' })
  const over = Promise.withResolvers<string>()
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
  })
  socket.on('error', (error: NodeJS.ErrnoException) => over.resolve(error.code ?? error.message))
  socket.on('end', () => over.resolve('end'))
  socket.write(`GET /events?topic=many HTTP/1.0\r\nHost: localhost\r\nAccept: ${lines.Accept}\r\n\r\n`)
  return {
    socket,
    over: over.promise,
    /** Resolves once it is under way, and stopped. */
    async pause() {
      await eventually(() => expect(bytes).toBeGreaterThan(100_000))
      socket.pause()
    },
    resume: () => socket.resume(),
  }
}

test('a replay over HTTP/1.0 that is whole ends, and is not reset', async () => {
  await using own = await ownGateway()
  expect(await overHttp10(own.url).over).toBe('end')
})

test('when the gateway leaves in the middle of a replay the connection is reset: an end would look whole [P5]', async () => {
  await using own = await ownGateway()
  const replay = overHttp10(own.url)
  await replay.pause()
  own.drain.abort()
  replay.resume()
  expect(await replay.over).toBe('ECONNRESET')
})

test('when PostgreSQL fails in the middle of a replay the connection is reset', async () => {
  await using own = await ownGateway()
  const replay = overHttp10(own.url)
  await replay.pause()
  await store.pool.query('ALTER TABLE events RENAME TO gone')
  try {
    replay.resume()
    expect(await replay.over).toBe('ECONNRESET')
  } finally {
    await store.pool.query('ALTER TABLE gone RENAME TO events')
  }
})

test('what is still being answered when the time to drain is over is reset', async () => {
  const listener: RequestListener = (_request, response) => void response.write('half')
  const server = await serveHttp(listener, { ...anyPort, drainMs: 100 })
  const replay = overHttp10(server.url)
  await once(replay.socket, 'data')
  const drained = server[Symbol.asyncDispose]()
  expect(await replay.over).toBe('ECONNRESET')
  await drained
})

test('every answer but a replay and a tail says its length, so that a part of it cannot look whole', async () => {
  await using own = await ownGateway()
  for (const path of ['/events?topic=few', '/events?topic=none', '/projections', '/nothing', '/healthz']) {
    const head = `GET ${path} HTTP/1.0\r\nHost: localhost\r\n\r\n`
    expect(await exchange(own.url, head)).toMatch(/^HTTP\/1\.1 (?:.+\r\n)+content-length: \d+\r\n/i)
  }
})

const text = async (url: string, path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${url}${path}`, { headers: { ...lines, ...headers } })
  return { headers: response.headers, text: await response.text() }
}

test('on request a replay says first that it is read and last how many events it had [P5]', async () => {
  await using own = await ownGateway()
  for (const [query, count] of [
    ['topic=few', 3],
    ['topic=none', 0],
    ['topic=many&limit=1500', 1_500],
  ] as const) {
    const { headers, text: all } = await text(own.url, `/events?${query}`, { Prefer: 'progress' })
    expect(headers.get('preference-applied')).toBe('progress')
    const said = all.split('\n')
    expect(said[0]).toBe('{"status":"reading","events":0}')
    expect(said.slice(-2)).toEqual([`{"status":"complete","events":${count}}`, ''])
    expect(said.length).toBe(count + 3)
  }
  const request = httpGet(`${own.url}/events?topic=few`, {
    headers: { ...lines, 'Accept-Encoding': 'gzip', Prefer: 'wait=1, progress' },
  })
  const [zipped] = await once(request, 'response')
  expect(gunzipSync(Buffer.concat(await zipped.toArray())).toString()).toContain(
    '\n{"status":"complete","events":3}\n',
  )
})

/** A plain replay and one with progress, kept from going on by a lock until the second has said so some times. */
async function bothWhileLocked(url: string) {
  const open = async (headers: Record<string, string> = {}) => {
    const request = httpGet(`${url}/events?topic=many`, { headers: { ...lines, ...headers }, agent: false })
    const [response] = await once(request, 'response')
    const replay = { text: '', over: once(response, 'end') }
    response.setEncoding('utf8').on('data', (chunk: string) => {
      replay.text += chunk
    })
    return replay
  }
  const locker = await store.pool.connect()
  try {
    const [plain, told] = [await open(), await open({ Prefer: 'progress' })]
    await locker.query('BEGIN; LOCK TABLE events')
    const isSlow = /("status":"reading","events":[1-9]\d*\}\n\{){3}/
    await eventually(() => expect(told.text).toMatch(isSlow))
    await locker.query('ROLLBACK')
    await Promise.all([plain.over, told.over])
    return [plain.text.split('\n'), told.text.split('\n')] as const
  } finally {
    locker.release(true)
  }
}

test('a replay that is slow says so in lines of JSON to those who asked, and nothing to others', async () => {
  await using own = await ownGateway({ keepAliveMs: 50 })
  const [plain, told] = await bothWhileLocked(own.url)
  expect(told.pop()).toBe('')
  let events = 0
  const values = told.map((line) => JSON.parse(line) as { status?: string; events?: number })
  for (const value of values) {
    if (value.status === undefined) events += 1
    else expect(value.events).toBe(events)
  }
  expect(values.at(-1)).toEqual({ status: 'complete', events: many })

  // A blank line, which came only when a replay was slow, broke readers of lines in production and not in tests.
  expect(plain.pop()).toBe('')
  expect(plain.length).toBe(many)
  expect(plain.every((line) => line.startsWith('{"topic":"many"'))).toBe(true)
})

test('no character in a payload ends its line, for Node and Python neither [P8]', async () => {
  const payload = '{"a":"1\u00852\u20283\u20294\\\\\u2028","\u2029":1}'
  await store.pool.query(
    `WITH t AS (INSERT INTO topics (name, head) VALUES ('breaks', 2) RETURNING id)
     INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at, event_key, content_tag)
     SELECT t.id, n, 'e\u2028' || n, 'sh\u0085op', $1, '2025-01-01Z', '2025-02-01Z', gen_random_uuid(), gen_random_uuid()
     FROM t, generate_series(1, 2) n`,
    [payload],
  )
  await using own = await ownGateway()
  const request = httpGet(`${own.url}/events?topic=breaks`, { headers: lines })
  const [response] = await once(request, 'response')
  const read: { event_id: string; source: string; payload: unknown }[] = []
  for await (const line of createInterface({ input: response })) read.push(JSON.parse(line))
  expect(read.map(({ payload }) => payload)).toEqual([JSON.parse(payload), JSON.parse(payload)])
  expect(read[0]).toMatchObject({ event_id: 'e\u20281', source: 'sh\u0085op' })
  // Those of Python's splitlines; it knows some control characters more, which JSON has as escapes only.
  const { text: all } = await text(own.url, '/events?topic=breaks')
  expect(all.split(/[\r\n\u0085\u2028\u2029]/)).toHaveLength(3)
  // A page has no lines, so it shows the payload to the character.
  const page = await text(own.url, '/events?topic=breaks', { Accept: 'application/json' })
  expect(page.text).toContain(payload)
})
