/** GET /tail through real HTTP, served in this process, with a consumer as a process of its own. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { untilConnected } from '@sekali/broker/connect'
import { parsePattern } from '@sekali/core/pattern'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, inject, test } from 'vitest'
import { createConnections } from '../src/sockets/connections.ts'
import { serveHttp } from '../src/sockets/server.ts'
import type { TailsOptions } from '../src/tail/tails.ts'
import { createGateway } from './gateway.ts'
import { type OpenTail, openTail } from './sse.ts'

async function ownTails({ tailsMax = 4_096, ...tailsOptions }: TailsOptions & { tailsMax?: number } = {}) {
  const stack = new AsyncDisposableStack()
  const redisUrl = inject('redisUrl')
  const { url: databaseUrl } = stack.use(await ownDatabase(inject('postgresUrl')))
  const prefix = ownPrefix()
  const env = { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, REDIS_PREFIX: prefix }
  stack.use(startApp('consumer/src/main.ts', env))
  const connections = createConnections({ tailsMax })
  const gateway = stack.use(createGateway({ redisUrl, databaseUrl, prefix, tailsOptions, connections }))
  const { broker, appender, store, tails, drain, listener } = gateway
  await untilConnected(broker, 5_000)
  const server = stack.use(await serveHttp(listener, { host: '127.0.0.1', port: 0, connections }))
  stack.defer(() => drain.abort())
  const append = async (
    topic: string,
    from: number,
    to: number,
    fields: { source?: string; payload?: string } = {},
  ) => {
    const events = Array.from({ length: to - from + 1 }, (_, index) =>
      event({ topic, eventId: `${topic}-${from + index}`, ...fields }),
    )
    expect((await appender.appendAll(events)).failure).toBeUndefined()
  }
  return {
    url: server.url,
    store,
    tails,
    append,
    /** Resolves once the topic's log has come so far. */
    stored: (topic: string, head: number) =>
      eventually(async () => {
        const { rows } = await store.pool.query('SELECT head FROM topics WHERE name = $1', [topic])
        expect(Number(rows[0]?.head)).toBe(head)
      }),
    tail: (query: string, headers?: Record<string, string>) => openTail(server.url, query, headers),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const holder = fileURLToPath(new URL('hold-tails.ts', import.meta.url))

/** A process with many clients. */
function hold(url: string, topic: string, count: number) {
  const child = spawn(process.execPath, [holder, url, topic, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const over = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await over
  }
  return { child, heard: once(child.stdout, 'data'), kill, [Symbol.asyncDispose]: kill }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

const seqsOf = ({ told }: OpenTail) => told.map(({ data }) => data.seq)
const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

test('history runs into live, every id is a place to resume from, and EventSource would understand it [P5]', async () => {
  await using own = await ownTails()
  await own.append('orders', 1, 300)
  await own.append('orders', 301, 301, {
    payload: '{\n  "text": "a\\nb",\r\n  "big": 9007199254740993.10\n}',
  })
  await own.stored('orders', 301)
  using tail = own.tail('topic=orders&from=start')
  const { statusCode, headers } = await tail.answered
  expect(statusCode).toBe(200)
  expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  await eventually(() => expect(tail.told.length).toBe(301))
  await own.append('orders', 302, 400)
  await eventually(() => expect(seqsOf(tail)).toEqual(upTo(400)))
  expect(tail.told.map(({ id }) => id)).toEqual(upTo(400).map(String))
  expect(tail.text).toMatch(/^retry: 1000\nid: 1\ndata: \{"topic":"orders",/)
  expect(tail.text).toContain('"payload":{   "text": "a\\nb",    "big": 9007199254740993.10 },"seq":301')
  expect(tail.told[300]?.data).toMatchObject({ event_id: 'orders-301', payload: { text: 'a\nb' } })

  using byHeader = own.tail('topic=orders&from=start&last_event_id=7', { 'Last-Event-ID': '390' })
  using byQuery = own.tail('topic=orders&from=start&last_event_id=395')
  using bySeq = own.tail('topic=orders&from=397')
  using now = own.tail('topic=orders')
  await eventually(() => {
    expect(seqsOf(byHeader)).toEqual(upTo(400, 391))
    expect(seqsOf(byQuery)).toEqual(upTo(400, 396))
    expect(seqsOf(bySeq)).toEqual(upTo(400, 398))
    expect(now.lastId).toBe('400') // before it has seen any event, so that nothing is missed if it breaks here
  })
  await own.append('orders', 401, 410)
  await eventually(() => {
    expect(seqsOf(now)).toEqual(upTo(410, 401))
    expect(seqsOf(byHeader)).toEqual(upTo(410, 391))
  })
})

test('a pattern brings each topic by seq, new ones from their first event, and resumes by one opaque id [P5]', async () => {
  await using own = await ownTails({ lingerMs: 200, tickMs: 20 })
  await own.append('a.x', 1, 50)
  await own.append('a.y', 1, 50)
  await own.append('b.x', 1, 5)
  await own.stored('a.x', 50)
  await own.stored('a.y', 50)
  using all = own.tail('topic=a.>&from=start')
  await eventually(() => expect(all.told.length).toBe(100))
  using now = own.tail('topic=a.>')
  await now.answered
  await own.append('a.new.one', 1, 3)
  await own.append('a.x', 51, 60)
  await eventually(() => {
    expect(all.told.length).toBe(113)
    expect(now.told.length).toBe(13)
  })
  const log = all.told
  for (const [topic, last] of [
    ['a.x', 60],
    ['a.y', 50],
    ['a.new.one', 3],
  ] as const) {
    expect(log.filter(({ data }) => data.topic === topic).map(({ data }) => data.seq)).toEqual(upTo(last))
  }
  // From every place it goes on with just the rest, whether the feed remembers the place or has to read it anew.
  for (const at of [0, 1, 49, 77, 112]) {
    using tail = own.tail(`topic=a.>&last_event_id=${log[at]?.id}`)
    await eventually(() => expect(tail.told.length).toBe(112 - at))
    const rest = new Set(tail.told.map(({ data }) => data.event_id))
    expect(rest).toEqual(new Set(log.slice(at + 1).map(({ data }) => data.event_id)))
    // It is not told the place that it came with.
    await eventually(() => expect(tail.lastId || log[at]?.id).toBe(log.at(-1)?.id))
  }
  all[Symbol.dispose]()
  now[Symbol.dispose]()
  using later = own.tail(`topic=a.>&last_event_id=${log[30]?.id}`)
  await eventually(() => expect(later.told.length).toBe(82))
})

test('a place that the log does not have is refused, and a log that goes back ends its tails', async () => {
  await using own = await ownTails()
  const topics = ['back.a', 'back.b']
  for (const topic of topics) await own.append(topic, 1, 10)
  for (const topic of topics) await own.stored(topic, 10)
  using one = own.tail('topic=back.a&from=9')
  using all = own.tail('topic=back.*&from=start')
  await eventually(() => expect([one.told.length, all.told.length]).toEqual([1, 20]))
  const refusal = async (query: string, id: string) => {
    const answer = await fetch(`${own.url}/tail?${query}`, { headers: { 'Last-Event-ID': id } })
    return [answer.status, ((await answer.json()) as { code: string }).code]
  }
  expect(await refusal('topic=back.a', '11')).toEqual([422, 'cursor_ahead'])
  expect(await refusal('topic=back.none', '1')).toEqual([422, 'cursor_ahead'])
  // Of another pattern, or of a topic that is not there: taken as the beginning it would repeat everything.
  expect(await refusal('topic=other.>', all.lastId)).toEqual([422, 'invalid_parameters'])
  expect(await refusal('topic=back.*', `${all.lastId}_zzz.1`)).toEqual([422, 'cursor_ahead'])

  // As a backup would bring it back that was made a little earlier.
  await own.store.pool.query("UPDATE topics SET head = 7 WHERE name = 'back.b'")
  await own.store.pool.query('DELETE FROM events e USING topics t WHERE e.topic_id = t.id AND e.seq > t.head')
  await all.over
  expect(await refusal('topic=back.*', all.lastId)).toEqual([422, 'cursor_ahead'])
  await own.append('back.a', 11, 12)
  await eventually(() => expect(seqsOf(one)).toEqual([10, 11, 12]))
  const before = all.told.findIndex(({ data }) => data.topic === 'back.b' && data.seq === 7)
  using again = own.tail(`topic=back.*&last_event_id=${all.told[before]?.id}`)
  await eventually(() => expect(again.told.at(-1)?.data).toMatchObject({ topic: 'back.a', seq: 12 }))
})

test('clients that read history slowly do not keep a fast one waiting', async () => {
  await using own = await ownTails()
  const payload = JSON.stringify({ bytes: randomBytes(20_000).toString('base64') })
  await own.append('t', 1, 100, { payload })
  await own.stored('t', 100)
  const start = { id: '0', isKnown: true }
  // A socket of the kernel would take it all at once.
  const slow = Array.from({ length: 120 }, () => {
    const write = (_chunk: Buffer, _encoding: string, done: () => void) => void setTimeout(done, 400)
    const socket = Object.assign(new Duplex({ write, read() {} }), { setTimeout() {} }) as unknown as Socket
    const outgoing = new ServerResponse(new IncomingMessage(socket))
    outgoing.assignSocket(socket)
    own.tails.serve(own.tails.feedOf(parsePattern('t'), 'slow'), outgoing, start, undefined)
    return outgoing
  })
  using tail = own.tail('topic=t')
  await tail.answered
  using fast = own.tail('topic=t&from=start')
  await eventually(() => expect(fast.told.length).toBe(100), 8_000)
  for (const outgoing of slow) outgoing.destroy()
})

test('a source is followed through all that others say, and its place moves on with them', async () => {
  await using own = await ownTails({ stalledMs: 400, tickMs: 20 })
  for (let n = 1; n <= 40; n++) await own.append('t', n, n, { source: n % 10 === 0 ? 'rare' : 'often' })
  using tail = own.tail('topic=t&from=start&source=rare')
  await eventually(() => expect(seqsOf(tail)).toEqual([10, 20, 30, 40]))
  await own.append('t', 41, 49, { source: 'often' })
  await own.append('t', 50, 55, { source: 'rare' })
  await own.append('t', 56, 59, { source: 'often' })
  await eventually(() => expect(seqsOf(tail).slice(4)).toEqual(upTo(55, 50)))
  // A heartbeat says how far it has come, so that a reconnect does not read all of that again.
  await eventually(() => expect(tail.lastId).toBe('59'))
  expect(tail.text).toContain('\n\nid: 59\n\n')
})

test('who comes again says where by any name that libraries use, and the newest place counts', async () => {
  await using own = await ownTails()
  await own.append('t', 1, 10)
  await own.stored('t', 10)
  const first = async (query: string, headers?: Record<string, string>) => {
    using tail = own.tail(`topic=t&${query}`, headers)
    expect((await tail.answered).statusCode).toBe(200)
    await eventually(() => expect(tail.told.length).toBeGreaterThan(0))
    return tail.told[0]?.data.seq
  }
  expect(await first('last_event_id=4')).toBe(5)
  expect(await first('lastEventId=4')).toBe(5) // event-source-polyfill
  expect(await first('lastEventID=4')).toBe(5) // what Mercure has its clients send
  expect(await first('Last-Event-ID=4')).toBe(5) // and what it had them send before
  // A library repeats the URL it was made with and adds the newest place, by a name of its own or once more by the same.
  expect(await first('from=start&last_event_id=2&lastEventId=7')).toBe(8)
  expect(await first('lastEventId=2&lastEventId=7')).toBe(8)
  expect(await first('lastEventId=7&last_event_id=')).toBe(8)
  expect(await first('from=start&lastEventId=')).toBe(1)
  expect(await first('from=start&lastEventId=2', { 'Last-Event-ID': '8' })).toBe(9)
  const refused = await fetch(`${own.url}/tail?topic=t&lastEventId=x`)
  expect([refused.status, await refused.json()]).toMatchObject([422, { errors: [{ path: 'lastEventId' }] }])
})

/** Blocks as a naive reader takes them for events: all that stands between two blank lines. */
const blocksOf = ({ text }: OpenTail) => text.split('\n\n').slice(0, -1)

test('a block without data comes only to say a place that the client cannot know', async () => {
  await using own = await ownTails({ stalledMs: 200, tickMs: 20 })
  await own.append('t', 1, 3)
  await own.stored('t', 3)
  for (const query of ['from=start', 'from=0', 'last_event_id=0']) {
    using tail = own.tail(`topic=t&${query}`)
    await eventually(() => expect(tail.text).toMatch(/\n\n:\n:\n/)) // heartbeats are lines, not blocks
    expect(blocksOf(tail).length).toBe(3)
    expect(blocksOf(tail).every((block) => block.includes('\ndata: {'))).toBe(true)
    await own.append('other', 1, 1)
  }
  // Where is now? Whoever is cut off before the first event must come again to this place and not to a later one.
  using now = own.tail('topic=t')
  await eventually(() => expect(now.text).toMatch(/^retry: 1000\nid: 3\n\n:\n:\n/))
  // Nor can who is sent one source's events know how far the others have come.
  using source = own.tail('topic=t&from=start&source=nobody')
  await eventually(() => expect(source.text).toMatch(/^retry: 1000\n(:\n)*id: 3\n\n:\n:\n/))
})

test('what is asked wrongly is refused in words', async () => {
  await using own = await ownTails({ tailsMax: 1 })
  const refused = async (query: string, headers?: Record<string, string>) => {
    const response = await fetch(`${own.url}/tail?${query}`, headers ? { headers } : {})
    const body = (await response.json()) as { code: string; errors?: { path: string }[] }
    return [response.status, body.code, body.errors?.map(({ path }) => path)]
  }
  expect(await refused('')).toEqual([422, 'invalid_parameters', ['topic']])
  expect(await refused('topic=a..b')).toEqual([422, 'invalid_parameters', ['topic']])
  expect(await refused('topic=a&from=yesterday&form=now')).toEqual([
    422,
    'invalid_parameters',
    ['form', 'from'],
  ])
  expect(await refused('topic=a.*&from=7')).toEqual([422, 'invalid_parameters', ['from']])
  expect(await refused('topic=a&last_event_id=1.2')).toEqual([422, 'invalid_parameters', ['last_event_id']])
  expect(await refused('topic=a.*', { 'Last-Event-ID': '12' })).toEqual([
    422,
    'invalid_parameters',
    ['last_event_id'],
  ])
  expect((await fetch(`${own.url}/tail?topic=a`, { method: 'HEAD' })).status).toBe(200)
  {
    using first = own.tail('topic=a')
    expect((await first.answered).statusCode).toBe(200)
    const response = await fetch(`${own.url}/tail?topic=b`)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toMatch(/^[123]$/)
    expect(await response.json()).toMatchObject({ code: 'too_many_tails' })
    expect((await fetch(`${own.url}/events`)).status).toBe(200)
  }
  await eventually(async () => {
    using next = own.tail('topic=a')
    expect((await next.answered).statusCode).toBe(200)
  })
})

test('a thousand readers of a topic cost as many reads as one', async () => {
  await using own = await ownTails()
  await own.append('shared', 1, 1)
  await own.stored('shared', 1)
  let reads = 0
  const tails = Array.from({ length: 1_000 }, () => own.tail('topic=shared'))
  await eventually(() => expect(tails.every(({ lastId }) => lastId === '1')).toBe(true))
  own.store.pool.on('acquire', () => reads++)
  for (let n = 2; n <= 11; n++) {
    await own.append('shared', n, n)
    await eventually(() => expect(tails.every(({ lastId }) => lastId === String(n))).toBe(true))
  }
  // Ten reads, and the looks that go on all the time.
  expect(reads).toBeLessThan(200)
  for (const tail of tails) tail[Symbol.dispose]()
})

test('a thousand clients, half of them stopped and the others killed, leave nothing behind', async () => {
  await using own = await ownTails({ stalledMs: 1_000, tickMs: 50, lingerMs: 500 })
  const payload = JSON.stringify({ text: 'x'.repeat(8_000) })
  const heads = { load: 0, flood: 0 }
  const grow = async (topic: keyof typeof heads, count: number) => {
    await own.append(topic, heads[topic] + 1, heads[topic] + count, { payload })
    heads[topic] += count
    await own.stored(topic, heads[topic])
  }
  await grow('load', 5)
  await grow('flood', 5)
  const handles = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length
  const bytes = () => {
    collectGarbage()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = { handles: handles(), bytes: 0 }
  // The pool may open a connection that it had not yet.
  const isBack = (beside: number) =>
    eventually(() => expect(handles()).toBeLessThan(before.handles + beside + 10), 30_000)
  // A small round first, to warm up what stays for good.
  for (const size of [20, 500]) {
    await using killed = hold(own.url, 'load', size)
    await using stopped = hold(own.url, 'load', size - 10)
    await using starved = hold(own.url, 'flood', 10)
    await Promise.all([killed, stopped, starved].map(({ heard }) => heard))
    expect(handles()).toBeGreaterThanOrEqual(before.handles + 2 * size)
    stopped.child.kill('SIGSTOP')
    starved.child.kill('SIGSTOP')
    await grow('load', 20)
    await killed.kill()
    await isBack(size)
    // More than a socket holds that has not read much yet, some 4 MiB: who takes nothing of it is cut off.
    await grow('flood', 800)
    await isBack(size - 10)
    if (size > 20) expect(bytes()).toBeLessThan(before.bytes + 64 * 1024 * 1024) // 130 KiB a client
    await Promise.all([stopped, starved].map(({ kill }) => kill()))
    await isBack(0)
    if (size === 20) before.bytes = bytes()
  }
  await eventually(() => expect(bytes()).toBeLessThan(before.bytes + 8 * 1024 * 1024))
})
