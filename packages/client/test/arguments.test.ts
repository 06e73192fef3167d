import { afterEach, expect, test, vi } from 'vitest'
import { type Client, createClient, type ReadyOptions } from '../src/client.ts'
import type { CallOptions, RetryLimits } from '../src/connection/retry.ts'
import { UnexpectedAnswer } from '../src/errors.ts'
import type { BatcherOptions } from '../src/publish/batcher.ts'
import type { PublishBatchOptions, PublishOptions } from '../src/publish/publish.ts'
import type { PublishAllOptions } from '../src/publish/publish-all.ts'
import type { AsOfOptions } from '../src/read/projections.ts'
import type { StatsOptions } from '../src/read/stats.ts'
import { json, startPeer, streams } from './peer.ts'
import { all, event, failureOf, fast, stored } from './sample.ts'

afterEach(() => vi.unstubAllEnvs())

const ready = json(200, { status: 'ready' })

test('without a base URL the one of SEKALI_URL is called, and without that this machine', async () => {
  await using peer = await startPeer(ready)
  vi.stubEnv('SEKALI_URL', `${peer.url}/prefix/`)
  await createClient().waitUntilReady()
  await createClient({ retry: fast }).waitUntilReady()
  expect(peer.received.map(({ url }) => url)).toEqual(['/prefix/readyz', '/prefix/readyz'])

  for (const none of ['', undefined]) {
    vi.stubEnv('SEKALI_URL', none)
    const urls: string[] = []
    const fetch = async (url: string) => {
      urls.push(url)
      return new Response('{}')
    }
    await createClient({ fetch }).waitUntilReady()
    expect(urls).toEqual(['http://127.0.0.1:8080/readyz'])
  }
})

test('in a page without a base URL its own origin is called', async () => {
  vi.stubEnv('SEKALI_URL', undefined)
  const urls: string[] = []
  const fetch = async (url: string) => {
    urls.push(url)
    return new Response('{}')
  }
  vi.stubGlobal('location', { origin: 'https://shop.example' })
  await createClient({ fetch }).waitUntilReady()
  vi.stubGlobal('location', { origin: 'null' }) // of a file: or data: URL
  await createClient({ fetch }).waitUntilReady()
  vi.unstubAllGlobals()
  expect(urls).toEqual(['https://shop.example/readyz', 'http://127.0.0.1:8080/readyz'])
})

test('a base URL may be a URL', async () => {
  await using peer = await startPeer(ready)
  await createClient({ baseUrl: new URL('/prefix/', peer.url) }).waitUntilReady()
  expect(peer.received.map(({ url }) => url)).toEqual(['/prefix/readyz'])
  expect(() => createClient({ baseUrl: new URL('http://me:secret@a') })).toThrow(/no user name or password/)
})

test.each<[string, unknown, RegExp]>([
  ['a text', 'http://127.0.0.1:8080', /takes an object, for instance \{ baseUrl/],
  ['null', null, /takes an object/],
  ['a misspelt option', { url: 'http://127.0.0.1' }, /no option "url".* baseUrl/],
  ['a URL of another kind', { baseUrl: 'ftp://a' }, /baseUrl must begin with http/],
  ['no text', { baseUrl: 8080 }, /baseUrl must begin with http/],
  ['a password in the URL', { baseUrl: 'http://me:secret@a' }, /no user name or password: .*token/],
  ['a query in the URL', { baseUrl: 'http://a/?key=secret' }, /no query/],
  ['a fetch that is none', { fetch: 'secret' }, /fetch must be a function/],
  ['a time that is none', { retry: { requestMs: Number.NaN } }, /retry\.requestMs must be/],
  ['a misspelt time', { retry: { total: 1 } }, /no option "total".* requestMs, totalMs, delayFirstMs/],
  ['a time as text', { retry: { totalMs: '5' } }, /retry\.totalMs must be/],
  [
    'a time that timers cannot wait',
    { retry: { requestMs: 2 ** 31 } },
    /retry\.requestMs must be .*2147483647/,
  ],
  ['a token with a line break', { token: 'secret\n' }, /token must be/],
  ['a token that is none', { token: 7 }, /token must be/],
  ['headers that are none', { headers: 'secret' }, /headers must be/],
  ['a header with a line break', { headers: { 'x-key': 'secret\r\na: b' } }, /header "x-key" must be/],
  ['a header that is no text', { headers: { 'x-key': undefined } }, /header "x-key" must be/],
  ['a name that no header has', { headers: { 'x key': 'secret' } }, /"x key" is no name/],
])('createClient refuses %s, and says what to do', (_what, options, words) => {
  const error = (() => {
    try {
      createClient(options as never)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toMatchObject({ code: 'invalid_config', message: expect.stringMatching(words) })
  expect(String(error)).not.toContain('secret')
})

test('a SEKALI_URL that is none is named', () => {
  vi.stubEnv('SEKALI_URL', 'localhost:8080')
  expect(() => createClient()).toThrow(/SEKALI_URL must begin with http/)
})

const client = createClient({ baseUrl: 'http://127.0.0.1:9', retry: fast })
const none = undefined as never
const misused: [string, (client: Client) => unknown, RegExp][] = [
  [
    'publish: an AbortController',
    (c) => c.publish(event(1), { signal: new AbortController() as never }),
    /signal/,
  ],
  [
    'publish: no signal',
    (c) => c.publish(event(1), { signal: { aborted: false } as never }),
    /signal must be/,
  ],
  ['publish: options null', (c) => c.publish(event(1), null as never), /options must be an object/],
  ['publish: onRetry', (c) => c.publish(event(1), { onRetry: 'x' as never }), /onRetry must be a function/],
  ['publish: waitSeconds NaN', (c) => c.publish(event(1), { waitSeconds: Number.NaN }), /waitSeconds/],
  ['publish: waitSeconds as text', (c) => c.publish(event(1), { waitSeconds: '5' as never }), /waitSeconds/],
  ['publish: waitSeconds 61', (c) => c.publish(event(1), { waitSeconds: 61 }), /waitSeconds .* 0 to 60/],
  [
    'publish: a misspelt option',
    (c) => c.publish(event(1), { waitSecond: 5 } as never),
    /no option "waitSecond".*, only signal, onRetry, waitSeconds$/,
  ],
  [
    'publish: an option of another call',
    (c) => c.publish(event(1), { lenient: true } as never),
    /no option "lenient"/,
  ],
  ['publishBatch: a misspelt option', (c) => c.publishBatch([], { wait: 5 } as never), /no option "wait"/],
  ['publishAll: a misspelt option', (c) => c.publishAll([], { batch: 5 } as never), /no option "batch"/],
  ['batcher: a misspelt option', (c) => c.batcher({ max: 1 } as never), /no option "max".*eventsMax/],
  ['receipt: a misspelt option', (c) => c.receipt('a', '1', { abort: 1 } as never), /no option "abort"/],
  ['tail: a misspelt option', (c) => all(c.tail({ topic: 'a' }, { onretry: 1 } as never)), /"onretry"/],
  ['projections: a misspelt option', (c) => c.projections({ as_of: true } as never), /"as_of".*asOf/],
  ['stats: a misspelt option', (c) => c.stats({ topics: 'a' } as never), /"topics".*topic/],
  ['waitUntilReady: a misspelt option', (c) => c.waitUntilReady({ deadline: 1 } as never), /"deadline"/],
  ['publishBatch: nothing', (c) => c.publishBatch(none), /publishBatch takes an array/],
  ['publishBatch: an event', (c) => c.publishBatch(event(1) as never), /publishBatch takes an array/],
  ['publishAll: nothing', (c) => c.publishAll(none), /publishAll takes an iterable/],
  ['publishAll: an event', (c) => c.publishAll(event(1) as never), /publishAll takes an iterable/],
  ['publishAll: a text', (c) => c.publishAll('[]' as never), /publishAll takes an iterable/],
  ['batcher: a queue of NaN', (c) => c.batcher({ queueEventsMax: Number.NaN }), /queueEventsMax/],
  ['batcher: a queue of bytes', (c) => c.batcher({ queueBytesMax: 0 }), /queueBytesMax/],
  ['batcher: delayMs', (c) => c.batcher({ delayMs: Number.NaN }), /delayMs/],
  ['batcher: options null', (c) => c.batcher(null as never), /options must be an object/],
  ['receipt: no topic', (c) => c.receipt(none, 'order-1'), /topic must be/],
  ['receipt: no id', (c) => c.receipt('order', none), /eventId must be/],
  ['events: a text', (c) => c.events('order' as never), /query must be an object/],
  ['read: a text', (c) => all(c.read('order' as never)), /query must be an object/],
  ['replay: a text', (c) => all(c.replay('order' as never)), /query must be an object/],
  ['tail: nothing', (c) => all(c.tail(none)), /tail takes an object with a topic/],
  ['tail: a text', (c) => all(c.tail('order' as never)), /tail takes an object with a topic/],
  ['tail: no topic', (c) => all(c.tail({} as never)), /tail takes an object with a topic/],
  ['tail: a cursor with a line break', (c) => all(c.tail({ topic: 'a', cursor: '1\n' })), /cursor/],
  ['projection: nothing', (c) => c.projection(none), /name must be/],
  ['projection: a query of text', (c) => c.projection('a', 'b' as never), /query must be an object/],
  ['projectionKey: no key', (c) => c.projectionKey('a', none), /key must be/],
  ['rebuildProjection: nothing', (c) => c.rebuildProjection(none), /name must be/],
  ['dropProjection: nothing', (c) => c.dropProjection(''), /name must be/],
  ['dropTopic: nothing', (c) => c.dropTopic(none), /topic must be/],
  ['stats: options null', (c) => c.stats(null as never), /options must be an object/],
  ['waitUntilReady: deadlineMs', (c) => c.waitUntilReady({ deadlineMs: Number.NaN }), /deadlineMs must be/],
]

test.each(misused)('%s is refused before anything is sent', async (_what, call, words) => {
  const error = await failureOf(Promise.resolve().then(() => call(client)))
  expect(error).toMatchObject({ code: 'invalid_config', message: expect.stringMatching(words) })
})

test('every option that a call has is taken', async () => {
  await using peer = await startPeer(
    json(200, { status: 'queued', queued: 1, event_id: 'order-1', totals: {} }),
  )
  const { signal } = new AbortController()
  const call: Required<CallOptions> = { signal, onRetry: () => undefined }
  const retry: Required<RetryLimits> = fast
  const c = createClient({ baseUrl: peer.url, retry })
  const batcher: Required<BatcherOptions> = {
    ...{ ...call, eventsMax: 1, bytesMax: 1_000, delayMs: 1 },
    ...{ queueEventsMax: 2, queueBytesMax: 1_000 },
  }
  const told: Required<Pick<PublishAllOptions, 'onRefused' | 'onProgress'>> = {
    onRefused: () => undefined,
    onProgress: () => undefined,
  }
  await c.publish(event(1), { ...call, waitSeconds: 1 } satisfies Required<PublishOptions>)
  await c.publishBatch([event(1)], {
    ...{ ...call, waitSeconds: 1, lenient: true },
  } satisfies Required<PublishBatchOptions>)
  await c.publishAll([event(1)], { ...batcher, ...told } satisfies Required<PublishAllOptions>)
  await c.batcher(batcher).close()
  await c.stats({ ...call, topic: 'a' } satisfies Required<StatsOptions>)
  await c.waitUntilReady({ ...call, deadlineMs: 1_000 } satisfies Required<ReadyOptions>)
  await c.projection('a', {}, { ...call, asOf: true } satisfies Required<AsOfOptions>).catch(unexpected)
  await c.projectionKey('a', 'b', { ...call, asOf: true }).catch(unexpected)
  await c.projections({ ...call, asOf: true }).catch(unexpected)
})

/** What answers is no projection. */
const unexpected = (error: unknown) => expect(error).toBeInstanceOf(UnexpectedAnswer)

test('what was not saved yet is no cursor', async () => {
  await using peer = await startPeer(
    streams([`id: 1\ndata: ${JSON.stringify(stored(1))}\n\n`], 'stay', 'text/event-stream'),
  )
  const tail = createClient({ baseUrl: peer.url }).tail({ topic: 'order', from: 'start', cursor: null })
  expect((await tail.next()).value).toMatchObject({ seq: 1, cursor: '1' })
  await tail.return()
  expect(peer.received[0]?.headers).not.toHaveProperty('last-event-id')
})

test('without a query everything is read', async () => {
  await using peer = await startPeer(json(200, []))
  const { read } = createClient({ baseUrl: peer.url })
  expect(await all(read())).toEqual([])
  expect(peer.received[0]?.url).toBe('/events')
})
