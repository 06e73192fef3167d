/** Queries and replays through HTTP, on real servers. */
import { once } from 'node:events'
import { createServer, get as httpGet, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Duplex } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createGunzip, gunzipSync } from 'node:zlib'
import { createClient } from '@sekali/client/client'
import type { TopicName } from '@sekali/core/event'
import { commitEvents } from '@sekali/store/commit'
import { connectStore } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { queueTurnEnd, withTurn } from '@sekali/store/turn'
import { startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { serveHttp } from '../src/sockets/server.ts'
import { createGateway, nowhere, problemIn } from './gateway.ts'
import { nextOf } from './links.ts'

const lines = { Accept: 'application/x-ndjson' }
const big = 60_000

async function own() {
  const store = await ownStore(inject('postgresUrl'))
  const gateway = await startGateway({
    REDIS_URL: nowhere.redisUrl,
    REDIS_PREFIX: ownPrefix(),
    DATABASE_URL: store.url,
    LOG_LEVEL: 'warn',
  })
  return {
    store,
    gateway,
    get: (path: string, headers: Record<string, string> = {}) => fetch(`${gateway.url}${path}`, { headers }),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

let system: Awaited<ReturnType<typeof own>>
beforeAll(async () => {
  system = await own()
  await system.store.pool.query(
    `WITH t AS (INSERT INTO topics (name, head) SELECT name, size FROM (VALUES ('orders.eu', 700), ('orders.us', 300), ('big', $1::int)) s (name, size) RETURNING id, name, head)
     INSERT INTO events (topic_id, seq, event_id, source, payload, "timestamp", received_at)
     SELECT t.id, n, 'e' || n, CASE WHEN n % 10 = 0 THEN 'tenth' ELSE 'shop' END, json_build_object('x', repeat('x', 500)),
       '2025-01-01Z'::timestamptz + n * interval '1 minute', '2025-02-01Z'::timestamptz + n * interval '1 minute'
     FROM t, generate_series(1, t.head) n`,
    [big],
  )
})
afterAll(() => system[Symbol.asyncDispose]())

interface Shown {
  readonly topic: string
  readonly seq: number
  readonly source: string
}
const namesOf = (events: readonly Shown[]) => events.map(({ topic, seq }) => `${topic}:${seq}`)
const read = (text: string): Shown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Shown)

async function follow(path: string): Promise<Shown[]> {
  const seen: Shown[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const response = await system.get(next)
    expect(response.status).toBe(200)
    seen.push(...((await response.json()) as Shown[]))
    next = nextOf(next, response)
  }
  return seen
}

test.each([
  ['topic=orders.*&order=asc&limit=300', 1_000],
  ['topic=orders.%3E&limit=999', 1_000],
  ['topic=orders.*&source=tenth&limit=7', 100],
  ['topic=orders.eu&source=tenth&after=0&limit=30', 70],
  ['topic=orders.eu&from=2025-01-01T01:00:00Z&to=2025-01-01T02:00:00Z&limit=25', 60],
  ['topic=orders.*&by=received_at&from=2025-02-01T01:00:00Z&to=2025-02-01T02:00:00Z&limit=25', 120],
  ['topic=orders.eu&after=10&before=20&limit=4', 9],
  ['topic=orders.eu&after=10&before=20&limit=4&order=desc', 9],
  ['source=tenth&to=2025-01-01T00:30:00Z&limit=4', 6],
])('the links of ?%s lead through all events once', async (query, count) => {
  const seen = await follow(`/events?${query}`)
  expect(new Set(namesOf(seen)).size).toBe(count)
  expect(seen.length).toBe(count)
  for (const topic of ['orders.eu', 'orders.us']) {
    const seqs = seen.filter((event) => event.topic === topic).map(({ seq }) => seq)
    const up = /after|order=asc/.test(query) && !query.includes('desc')
    expect(seqs).toEqual(seqs.toSorted((a, b) => (up ? a - b : b - a)))
  }
})

test('a replay streams all of a topic, gzipped for who asks for it, and nothing for HEAD', async () => {
  const plain = await system.get('/events?topic=orders.eu', { ...lines, 'Accept-Encoding': 'identity' })
  expect([plain.status, plain.headers.get('content-type'), plain.headers.get('content-encoding')]).toEqual([
    200,
    'application/x-ndjson',
    null,
  ])
  const text = await plain.text()
  expect(read(text).map(({ seq }) => seq)).toEqual(Array.from({ length: 700 }, (_, index) => index + 1))

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

function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('readers that have stopped keep nobody from a whole replay, and hold next to nothing', async () => {
  const { redisUrl } = nowhere
  await using gateway = createGateway({ redisUrl, databaseUrl: system.store.url })
  await using server = await serveHttp(gateway.listener, { host: '127.0.0.1', port: 0 })
  const direct = createServer(gateway.listener)
  const replay = async () => {
    const response = await fetch(`${server.url}/events?topic=big`, { headers: lines })
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
  const { redisUrl } = nowhere
  await using gateway = createGateway({ redisUrl, databaseUrl: system.store.url })
  await using server = await serveHttp(gateway.listener, { host: '127.0.0.1', port: 0 })
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
  const response = await fetch(`${server.url}/events?topic=big`, { headers: lines })
  expect((await response.text()).split('\n').filter(Boolean).length).toBe(big)
  for (const { socket } of unread) socket.destroy()
})

test('as long as a replay finds nothing it says so to whoever wants to know, also through gzip', async () => {
  const { redisUrl } = nowhere
  const databaseUrl = system.store.url
  await using gateway = createGateway({ redisUrl, databaseUrl, replayTimes: { keepAliveMs: 50 } })
  await using server = await serveHttp(gateway.listener, { host: '127.0.0.1', port: 0 })
  const headers = { ...lines, 'Accept-Encoding': 'gzip', Prefer: 'progress' }
  const request = httpGet(`${server.url}/events?topic=big`, { headers, agent: false })
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
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: big }, (_, index) => index + 1))
  } finally {
    locker.release(true)
  }
})

test('without a topic there is a next page as long as there is more', async () => {
  const seen: string[] = []
  let path: string | undefined = '/events?limit=400'
  for (let page = 1; page <= 3; page++) {
    const response: Response = await system.get(path ?? '')
    seen.push(...namesOf((await response.json()) as Shown[]))
    path = nextOf(path ?? '', response)
  }
  expect(new Set(seen).size).toBe(1_200)
})

test('behind a proxy that puts a prefix before the path the next page is where the link says', async () => {
  const prefix = '/log/of/us'
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url?.startsWith(`${prefix}/`) ? incoming.url.slice(prefix.length) : '/not/here'
    const sent = request(`${system.gateway.url}${path}`, { headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    sent.end()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  try {
    for (const [path, pages] of [
      ['/events?topic=orders.eu&limit=400', 2],
      ['/stats?limit=2', 2],
    ] as const) {
      let url: string | undefined = `http://127.0.0.1:${port}${prefix}${path}`
      for (let page = 1; page <= pages; page++) {
        const response: Response = await fetch(url)
        expect([url, response.status]).toEqual([url, 200])
        const [, target] = /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '') ?? []
        url = new URL(target ?? '', url).href
      }
    }
    const client = createClient({ baseUrl: `http://127.0.0.1:${port}${prefix}` })
    const seqs: number[] = []
    for await (const { seq } of client.read({ topic: 'orders.us', after: 0, limit: 120 })) seqs.push(seq)
    expect(seqs).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
  } finally {
    proxy.close()
    proxy.closeAllConnections()
  }
})

test('a topic that is not named among places to end at has no end', async () => {
  const query = '/events?topic=orders.*&before=orders.us:3&order=asc&limit=1000'
  const found = [
    (await (await system.get(query)).json()) as Shown[],
    read(await (await system.get(query, lines)).text()),
  ]
  for (const events of found) {
    expect(events.filter(({ topic }) => topic === 'orders.us').map(({ seq }) => seq)).toEqual([1, 2])
    expect(events.filter(({ topic }) => topic === 'orders.eu')).toHaveLength(700)
  }
})

test('a commit that is late makes neither a page nor a replay skip anything [P5]', async () => {
  await using writer = connectStore({ url: system.store.url, poolMax: 4, name: 'test' }, { warn: () => {} })
  const topics = ['late.a', 'late.b'] as TopicName[]
  await ensureTopics(writer, topics)
  const commit = (topic: TopicName, id: string, beforeCommit: () => Promise<void> = async () => {}) =>
    withTurn(writer, [topic], async (tx, turn) => {
      const received = [1, 2, 3].map((n) => ({
        event: event({ topic, eventId: `${id}${n}` }),
        receivedAt: '2025-12-08T10:00:01.000000Z',
      }))
      const outcome = await commitEvents(tx, turn, received)
      await beforeCommit()
      queueTurnEnd(tx, turn, {
        ...turn,
        ...outcome,
        dead: 0,
        lost: 0,
        foundLoss: false,
        group: 'g',
        accounted: turn.accounted + 3,
      })
    })
  const seen: Shown[] = []
  let place = '0'
  const readOn = async () => {
    const response = await system.get(`/events?topic=late.*&order=asc&after=${place}&limit=2`)
    seen.push(...((await response.json()) as Shown[]))
    const next = /after=([^&>]+)/.exec(response.headers.get('link') ?? '')?.[1]
    place =
      next ??
      ['late.a', 'late.b']
        .map((topic) => `${topic}:${seen.filter((shown) => shown.topic === topic).length}`)
        .join(',')
    return next !== undefined
  }
  for (let round = 0; round < 5; round++) {
    // The first topic's events are inserted, and stamped, before those of the second, and committed after.
    await commit('late.a' as TopicName, `a${round}`, async () => {
      await commit('late.b' as TopicName, `b${round}`)
      while (await readOn());
      const replayed = read(await (await system.get('/events?topic=late.*', lines)).text())
      expect(replayed.filter(({ topic }) => topic === 'late.a').length).toBe(3 * round)
      expect(replayed.filter(({ topic }) => topic === 'late.b').length).toBe(3 * (round + 1))
    })
    while (await readOn());
  }
  for (const topic of topics) {
    const seqs = seen.filter((shown) => shown.topic === topic).map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
  }
  const replayed = read(await (await system.get('/events?topic=late.*', lines)).text())
  expect(new Set(namesOf(replayed))).toEqual(new Set(namesOf(seen)))
})

test('what cannot be answered is told before the first line', async () => {
  const refused = async (path: string, headers: Record<string, string> = lines) => {
    const response = await system.get(path, headers)
    return [response.status, (await problemIn(response)).code]
  }
  expect(await refused('/events?topic=a.*&after=7')).toEqual([422, 'invalid_parameters'])
  const { rows } = await system.store.pool.query("SELECT id FROM topics WHERE name = 'big'")
  const foreign = `${rows[0].id.toString(36)}.1`
  for (const headers of [{}, lines]) {
    // As after PostgreSQL was restored: silence until the log has come so far would skip all that comes
    // before.
    for (const query of [
      'orders.us&after=301',
      'orders.none&after=1',
      'orders.us&source=shop&after=301',
      'orders.*&after=zzz.1',
      'orders.*&after=orders.us:301',
      'orders.*&after=orders.none:1',
    ])
      expect(await refused(`/events?topic=${query}`, headers)).toEqual([422, 'cursor_ahead'])
    for (const path of ['after', 'before']) {
      const response = await system.get(`/events?topic=orders.*&${path}=${foreign}`, headers)
      expect(await problemIn(response)).toMatchObject({ errors: [{ path, code: `invalid_${path}` }] })
    }
    for (const query of ['orders.us&after=300', 'orders.none&after=0', 'orders.*&after=orders.us:300'])
      expect((await system.get(`/events?topic=${query}&limit=1`, headers)).status).toBe(200)
  }
  expect(await refused('/events', { Accept: 'text/html' })).toEqual([406, 'not_acceptable'])
  await system.store.pool.query(
    `INSERT INTO topics (name) SELECT 'many.' || n FROM generate_series(1, 501) n`,
  )
  for (const headers of [{}, lines]) {
    const response = await system.get('/events?topic=many.*', headers)
    expect([response.status, (await problemIn(response)).code]).toEqual([422, 'too_many_topics'])
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
