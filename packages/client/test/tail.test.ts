import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { createSseParser } from '../src/connection/sse.ts'
import { type Answer, hangs, json, resets, startPeer, streams } from './peer.ts'
import { all, failureOf, fast, impatient, stored } from './sample.ts'

const sse = 'text/event-stream'
const messages = (...seqs: number[]) =>
  seqs.map((seq) => `id: ${seq}\ndata: ${JSON.stringify(stored(seq))}\n\n`)

async function seqsUntil(last: number, url: string, query: object = {}): Promise<number[]> {
  const seqs: number[] = []
  for await (const { seq } of createClient({ baseUrl: url, retry: fast }).tail({
    topic: 'order',
    ...query,
  })) {
    seqs.push(seq)
    if (seq === last) break
  }
  return seqs
}

test('events come as they are stored, each with the place behind it', async () => {
  await using peer = await startPeer(
    streams([': hello\n\n', 'retry: 1000\n\n', ...messages(1, 2)], 'stay', sse),
  )
  const tail = createClient({ baseUrl: peer.url }).tail({ topic: 'order', from: 'start', source: 'shop-1' })
  expect((await tail.next()).value).toEqual({ ...stored(1), cursor: '1' })
  expect((await tail.next()).value).toEqual({ ...stored(2), cursor: '2' })
  await tail.return()
  expect(peer.received[0]).toMatchObject({ url: '/tail?topic=order&from=start&source=shop-1' })
  expect(peer.received[0]?.headers).toMatchObject({ accept: sse })
  expect(peer.received[0]?.headers).not.toHaveProperty('last-event-id')
})

test.each<[string, Answer]>([
  ['is cut in the middle of an event', streams([...messages(1, 2), 'id: 3\ndata: {"se'], 'cut', sse)],
  ['ends', streams(messages(1, 2), 'end', sse)],
])('a connection that %s is made again where the last whole event ended', async (_what, first) => {
  await using peer = await startPeer(first, resets, json(503, {}), streams(messages(3, 4), 'stay', sse))
  expect(await seqsUntil(4, peer.url)).toEqual([1, 2, 3, 4])
  expect(peer.received.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2', '2'])
})

test('a place that comes without an event is remembered too', async () => {
  await using peer = await startPeer(streams(['id: 41\n\n'], 'cut', sse), streams(messages(42), 'stay', sse))
  expect(await seqsUntil(42, peer.url, { from: 'now' })).toEqual([42])
  expect(peer.received[1]?.headers['last-event-id']).toBe('41')
})

test('a tail goes on where an earlier one stopped', async () => {
  await using peer = await startPeer(streams(messages(8), 'stay', sse))
  expect(await seqsUntil(8, peer.url, { cursor: '7' })).toEqual([8])
  expect(peer.received[0]).toMatchObject({ url: '/tail?topic=order', headers: { 'last-event-id': '7' } })
})

test('what the gateway refuses ends it, at first and later', async () => {
  const refuses = json(422, { code: 'too_many_topics', errors: [] })
  await using peer = await startPeer(refuses, streams(messages(1), 'cut', sse), refuses)
  for (const _ of [1, 2]) {
    const tail = createClient({ baseUrl: peer.url, retry: fast }).tail({ topic: 'order.>' })
    expect(await failureOf(all(tail))).toMatchObject({ code: 'too_many_topics' })
  }
})

test('a stream that ends, whole or cut off, is not called a gateway that nobody reaches', async () => {
  const refuses = json(401, { code: 'unauthorized' })
  for (const end of ['end', 'cut'] as const) {
    await using peer = await startPeer(streams(messages(1), end, sse), refuses)
    const seen: unknown[] = []
    const onRetry = ({ error }: { readonly error: unknown }) => void seen.push(error)
    const tail = createClient({ baseUrl: peer.url, retry: fast }).tail({ topic: 'order' }, { onRetry })
    expect(await failureOf(all(tail))).toMatchObject({ code: 'unauthorized' })
    expect(seen).toMatchObject([{ code: 'broken_off' }])
  }
})

test('a cursor that does not fit is called so, at first and later', async () => {
  const message = 'must be an id that came with an event of this topic or pattern'
  const errors = [{ path: 'last_event_id', code: 'invalid_last_event_id', message }]
  const refuses = json(422, { code: 'invalid_parameters', errors })
  await using peer = await startPeer(refuses, streams(messages(1), 'cut', sse), refuses)
  for (const _ of [1, 2]) {
    const tail = createClient({ baseUrl: peer.url, retry: fast }).tail({ topic: 'order', cursor: '1.2' })
    expect(await failureOf(all(tail))).toMatchObject({
      code: 'invalid_parameters',
      issues: [{ path: 'cursor', message }],
      message: expect.stringMatching(new RegExp(`^cursor ${message} `)),
    })
  }
})

test('a gateway that is not there at first is not waited for without end', async () => {
  await using peer = await startPeer(hangs)
  const retry = { ...impatient, totalMs: 300 }
  const tail = createClient({ baseUrl: peer.url, retry }).tail({ topic: 'order' })
  expect(await failureOf(tail.next())).toMatchObject({ code: 'timed_out' })
})

test('without an end of its tries a tail waits for its first connection as well', async () => {
  const away = json(503, {})
  await using peer = await startPeer(away, away, away, away, streams(messages(1), 'stay', sse))
  const retry = { ...fast, delayFirstMs: 20, delayMaxMs: 20, totalMs: Infinity }
  const tail = createClient({ baseUrl: peer.url, retry }).tail({ topic: 'order' })
  expect((await tail.next()).value).toMatchObject({ seq: 1 })
  await tail.return()
})

test('an abort ends it at once, with its reason', async () => {
  await using peer = await startPeer(streams(messages(1), 'stay', sse))
  const controller = new AbortController()
  const tail = createClient({ baseUrl: peer.url }).tail({ topic: 'order' }, { signal: controller.signal })
  await tail.next()
  const next = tail.next()
  controller.abort('enough')
  expect(await failureOf(next)).toBe('enough')
})

test('the stream is read as the standard says', () => {
  const parser = createSseParser()
  const push = (text: string) => parser.push(new TextEncoder().encode(text))
  expect(push('\ufeff: comment\n\ndata:a\ndata: b\r\n\r\n')).toEqual([{ id: '', data: 'a\nb' }])
  expect(push('event: x\nid: 1\nunknown: y\nretry: 20\ndata\n\n')).toEqual([{ id: '1', data: '' }])
  expect(push('id: bad\0id\ndata: c\n\nid\n\ndata: d\n\n')).toEqual([
    { id: '1', data: 'c' },
    { id: '', data: 'd' },
  ])
  expect(push('data: is not complete\n')).toEqual([])
})
