/** How a replay is streamed, and what readers cost that do not read it. */
import { once } from 'node:events'
import { createServer, get as httpGet } from 'node:http'
import { Duplex } from 'node:stream'
import { createGunzip, gunzipSync } from 'node:zlib'
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bytesInUse } from '../test/bytes-in-use.ts'
import { nowhere } from '../test/gateway.ts'
import { big, lines, namesOf, ownLog, read } from '../test/log-of-orders.ts'
import { serveGateway } from '../test/served-gateway.ts'

let system: Awaited<ReturnType<typeof ownLog>>
beforeAll(async () => {
  system = await ownLog()
})
afterAll(() => system[Symbol.asyncDispose]())

test('a replay streams all of a topic, gzipped for who asks for it, and nothing for HEAD', async () => {
  const plain = await system.get('/events?topic=orders.eu', { ...lines, 'Accept-Encoding': 'identity' })
  expect([plain.status, plain.headers.get('content-type'), plain.headers.get('content-encoding')]).toEqual([
    200,
    'application/x-ndjson',
    null,
  ])
  const text = await plain.text()
  expect(read(text).map(({ seq }) => seq)).toEqual(upTo(700))

  const request = httpGet(`${system.gateway.url}/events?topic=orders.eu`, {
    headers: { ...lines, 'Accept-Encoding': 'br, gzip' },
  })
  const [zipped] = await once(request, 'response')
  expect(zipped.headers['content-encoding']).toBe('gzip')
  const chunks: Buffer[] = await zipped.toArray()
  expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe(text)
  expect(Buffer.concat(chunks).length).toBeLessThan(text.length / 10)

  const head = await fetch(`${system.gateway.url}/events?topic=big`, { method: 'HEAD', headers: lines })
  expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
    200,
    'application/x-ndjson',
    '',
  ])
})

test('a replay takes every filter, a limit above that of a page, and goes on after what a reader has', async () => {
  const linesOf = async (query: string) => read(await (await system.get(`/events?${query}`, lines)).text())
  expect((await linesOf('topic=big&limit=2500')).at(-1)?.seq).toBe(2_500)
  expect((await linesOf('topic=big&order=desc&limit=1001')).at(-1)?.seq).toBe(big - 1_000)
  expect((await linesOf('topic=big&source=tenth')).length).toBe(big / 10)
  expect(await linesOf('topic=none')).toEqual([])
  const all = await linesOf('topic=orders.*')
  expect(all.length).toBe(1_000)
  const first = all.slice(0, 400)
  const last = (topic: string) => first.findLast((event) => event.topic === topic)?.seq ?? 0
  const rest = await linesOf(
    `topic=orders.*&after=orders.eu:${last('orders.eu')},orders.us:${last('orders.us')}`,
  )
  expect(namesOf([...first, ...rest])).toEqual(namesOf(all))
})

/** The socket of a client that takes so many bytes at once, and nothing more. One of the kernel would take megabytes. */
function stopping(bytes: number) {
  let left = bytes
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    left -= chunk.length
    if (left > 0) done()
  }
  const resetAndDestroy = () => socket.destroy()
  const socket: Duplex = Object.assign(new Duplex({ write, read() {} }), { setTimeout() {}, resetAndDestroy })
  return { socket, hasStopped: () => left <= 0 }
}

test('readers that have stopped keep nobody from a whole replay, and hold next to nothing', async () => {
  await using gateway = await serveGateway({ ...nowhere, databaseUrl: system.store.url })
  const direct = createServer(gateway.listener)
  const replay = async () => {
    const response = await fetch(`${gateway.url}/events?topic=big`, { headers: lines })
    return (await response.text()).split('\n').filter(Boolean).length
  }
  const before = bytesInUse()
  const stopped = Array.from({ length: 64 }, (_, index) => {
    const client = stopping(400_000)
    const encoding = index % 32 === 0 ? 'gzip' : 'identity'
    client.socket.push(
      `GET /events?topic=big HTTP/1.1\r\nHost: localhost\r\nAccept: ${lines.Accept}\r\nAccept-Encoding: ${encoding}\r\n\r\n`,
    )
    direct.emit('connection', client.socket)
    return client
  })
  await eventually(() => expect(stopped.filter(({ hasStopped }) => hasStopped()).length).toBeGreaterThan(50))
  expect(await replay()).toBe(big)
  // A socket's piece each; the part that it did not take is a quarter of a MiB, and twice that as objects.
  await eventually(() => expect(bytesInUse() - before).toBeLessThan(24 * 1024 * 1024))
  for (const { socket } of stopped) socket.destroy()

  // Who begins while this process leaves is not kept to the end either.
  gateway.drain.abort()
  await expect(replay()).rejects.toThrow()
})

test('replays that one client leaves unread are not all that there may be', async () => {
  await using gateway = await serveGateway({ ...nowhere, databaseUrl: system.store.url })
  const direct = createServer(gateway.listener)
  const ask = () => {
    const client = stopping(1)
    client.socket.push(`GET /events?topic=big HTTP/1.1\r\nHost: localhost\r\nAccept: ${lines.Accept}\r\n\r\n`)
    direct.emit('connection', client.socket)
    return client
  }
  const unread = Array.from({ length: 192 }, ask)
  await eventually(() => expect(unread.filter(({ hasStopped }) => hasStopped()).length).toBe(192))
  const refused = new Promise((resolve) => {
    const socket = Object.assign(
      new Duplex({ write: (chunk, _encoding, done) => done(void resolve(String(chunk))), read() {} }),
      { setTimeout() {} },
    )
    socket.push(`GET /events?topic=big HTTP/1.1\r\nHost: localhost\r\nAccept: ${lines.Accept}\r\n\r\n`)
    direct.emit('connection', socket)
  })
  expect(await refused).toContain('429 Too Many Requests')
  const response = await fetch(`${gateway.url}/events?topic=big`, { headers: lines })
  expect((await response.text()).split('\n').filter(Boolean).length).toBe(big)
  for (const { socket } of unread) socket.destroy()
})

test('as long as a replay finds nothing it says so to those who asked, also through gzip', async () => {
  const replayTimes = { keepAliveMs: 50 }
  await using gateway = await serveGateway({ ...nowhere, databaseUrl: system.store.url, replayTimes })
  const headers = { ...lines, 'Accept-Encoding': 'gzip', Prefer: 'progress' }
  const request = httpGet(`${gateway.url}/events?topic=big`, { headers, agent: false })
  const [response] = await once(request, 'response')
  const locker = await system.store.pool.connect()
  try {
    await locker.query('BEGIN; LOCK TABLE events')
    let text = ''
    const body = response.pipe(createGunzip())
    body.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await eventually(() => expect(text).toMatch(/(\n\{"status":"reading","events":\d+\}){2}\n$/))
    await locker.query('ROLLBACK')
    await once(body, 'end')
    const events = read(text).filter((line) => 'seq' in line)
    expect(events.map(({ seq }) => seq)).toEqual(upTo(big))
  } finally {
    locker.release(true)
  }
})

// The last one: it breaks the database.
test('a replay that cannot go on is cut off, so that its end is not taken for the end of the log', async () => {
  const response = await system.get('/events?topic=big', lines)
  expect(response.status).toBe(200)
  await system.store.pool.query('ALTER TABLE events RENAME TO gone')
  await expect(response.text()).rejects.toThrow()
  await eventually(() => expect(system.gateway.output()).toContain('replay broken off'))
  expect((await system.get('/healthz')).status).toBe(200)
})
