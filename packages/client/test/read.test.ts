/** Pages and replays, and what ends them. */
import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { connectionTo } from '../src/connection/connection.ts'
import { BrokenOff, Miscounted, Unreachable } from '../src/errors.ts'
import { readText, replayText } from '../src/read/read.ts'
import { json, startPeer, streams } from './peer.ts'
import { all, failureOf, fast, stored } from './sample.ts'

const lines = (...seqs: number[]) => seqs.map((seq) => `${JSON.stringify(stored(seq))}\n`)
const ndjson = 'application/x-ndjson'

test('read goes from page to page by what the Link says, under the path of its own base URL', async () => {
  await using peer = await startPeer(
    json(200, [stored(1)], { link: '<?topic=order&after=1&limit=2>; rel="next"' }),
    json(200, [stored(2)], { link: '</events?topic=order&after=2&limit=2>; rel="next"' }), // of an old gateway
    json(200, [stored(3)]),
  )
  const client = createClient({ baseUrl: `${peer.url}/log` })
  const found = await all(client.read({ topic: 'order', after: 0, limit: 2, by: 'received_at' }))
  expect(found).toEqual([1, 2, 3].map((seq) => stored(seq)))
  expect(peer.received.map(({ url }) => url)).toEqual([
    '/log/events?topic=order&after=0&limit=2&by=received_at',
    '/log/events?topic=order&after=1&limit=2',
    '/log/events?topic=order&after=2&limit=2',
  ])
})

test('a page can be had as text, with each payload as it came', async () => {
  const exact = JSON.stringify(stored(1)).replace('{"seq":-1}', '{"big":9007199254740993, "b":0.10}')
  await using peer = await startPeer((response) => response.end(`[${exact},${JSON.stringify(stored(2))}]`))
  const connection = connectionTo({ baseUrl: peer.url })
  expect(await all(readText(connection, {}))).toEqual([exact, JSON.stringify(stored(2))])
})

test('a replay is read while it comes, wherever its pieces end, past the blank lines that keep it alive', async () => {
  const bytes = Buffer.from(lines(1, 2).join('\n\n').replace('shop-1', 'toko-é🙂'))
  const cuts = Array.from(bytes, (byte) => Uint8Array.of(byte))
  await using peer = await startPeer(streams(cuts, 'end', ndjson))
  const found = await all(createClient({ baseUrl: peer.url }).replay({ topic: 'order', after: 0 }))
  expect(found.map(({ seq, source }) => [seq, source])).toEqual([
    [1, 'toko-é🙂'],
    [2, 'shop-1'],
  ])
  expect(peer.received[0]?.headers.accept).toBe(ndjson)
})

test('a replay that breaks off goes on after the last whole event', async () => {
  const half = lines(3)[0]?.slice(0, 40) ?? ''
  await using peer = await startPeer(
    streams([...lines(1, 2), half], 'cut', ndjson),
    streams(lines(3, 4), 'end', ndjson),
  )
  const connection = connectionTo({ baseUrl: peer.url, retry: fast })
  const texts = await all(replayText(connection, { topic: 'order', order: 'asc', limit: 4 }))
  expect(texts.map((text) => JSON.parse(text).seq)).toEqual([1, 2, 3, 4])
  expect(peer.received.map(({ url }) => url)).toEqual([
    '/events?topic=order&order=asc&limit=4',
    '/events?topic=order&order=asc&limit=2&after=2',
  ])
})

test.each([{ topic: 'order.>' }, {}])(
  'a replay of several topics, %j, goes on behind the last event of each',
  async (query) => {
    const mixed = [stored(1, 'order.eu'), stored(1, 'order.us'), stored(2, 'order.eu')]
    const pieces = mixed.map((event) => `${JSON.stringify(event)}\n`)
    await using peer = await startPeer(streams(pieces, 'cut', ndjson), streams(lines(3), 'end', ndjson))
    const client = createClient({ baseUrl: peer.url, retry: fast })
    expect(await all(client.replay(query))).toHaveLength(4)
    expect(Object.fromEntries(new URL(peer.received[1]?.url ?? '', peer.url).searchParams)).toEqual({
      topic: query.topic ?? '>', // the gateway takes no place without one
      after: 'order.eu:2,order.us:1',
    })
  },
)

const told = { 'preference-applied': 'progress' }
const progress = (status: string, events: number) => `${JSON.stringify({ status, events })}\n`

test('a replay asks for a last line, and what a proxy made an end of without it goes on after the last event', async () => {
  await using peer = await startPeer(
    streams([progress('reading', 0), ...lines(1, 2), progress('reading', 2)], 'end', ndjson, told),
    streams([progress('reading', 0), ...lines(3), progress('complete', 1)], 'end', ndjson, told),
  )
  const replay = createClient({ baseUrl: peer.url, retry: fast }).replay({ topic: 'order' })
  expect((await all(replay)).map(({ seq }) => seq)).toEqual([1, 2, 3])
  expect(peer.received.map(({ url }) => url)).toEqual(['/events?topic=order', '/events?topic=order&after=2'])
  expect(peer.received[0]?.headers.prefer).toBe('progress')
})

test('a line that is cut is none, also where the connection seems to have ended well', async () => {
  const half = lines(2)[0]?.slice(0, 40) ?? ''
  await using peer = await startPeer(
    streams([...lines(1), half], 'end', ndjson),
    streams(lines(2), 'end', ndjson),
  )
  const replay = createClient({ baseUrl: peer.url, retry: fast }).replay({ topic: 'order' })
  expect((await all(replay)).map(({ seq }) => seq)).toEqual([1, 2])
})

test('a gateway that does not know of a last line is believed at the end of its answer', async () => {
  await using peer = await startPeer(streams(lines(1, 2), 'end', ndjson))
  expect(await all(createClient({ baseUrl: peer.url }).replay({ topic: 'order' }))).toHaveLength(2)
  expect(peer.received).toHaveLength(1)
})

test.each([
  [{ order: 'desc' }, [...lines(2, 1), progress('reading', 2)]],
  [{}, [progress('reading', 0)]],
] as const)(
  'a replay %j without its last line that cannot be taken up again is no whole one',
  async (query, pieces) => {
    await using peer = await startPeer(streams(pieces, 'end', ndjson, told))
    const replay = createClient({ baseUrl: peer.url, retry: fast }).replay({ topic: 'order', ...query })
    const failure = await failureOf(all(replay))
    expect(failure).toBeInstanceOf(BrokenOff)
    expect(failure).toMatchObject({ code: 'broken_off', retryable: true })
  },
)

test('a replay that counts other events than came is refused, and not taken up again', async () => {
  await using peer = await startPeer(streams([...lines(1, 3), progress('complete', 3)], 'end', ndjson, told))
  const failure = await failureOf(all(createClient({ baseUrl: peer.url }).replay({ topic: 'order' })))
  expect(failure).toBeInstanceOf(Miscounted)
  expect(failure).toMatchObject({ code: 'miscounted', retryable: false })
  expect(peer.received).toHaveLength(1)
})

test('a replay from the newest on cannot be taken up again, and says that it broke off', async () => {
  await using peer = await startPeer(streams(lines(1), 'cut', ndjson))
  const replay = createClient({ baseUrl: peer.url, retry: fast }).replay({ topic: 'order', order: 'desc' })
  const found: number[] = []
  const reading = (async () => {
    for await (const { seq } of replay) found.push(seq)
  })()
  const failure = await failureOf(reading)
  expect(failure).toBeInstanceOf(Unreachable)
  expect(failure).toBeInstanceOf(BrokenOff)
  expect(found).toEqual([1])
})

test('a replay that falls silent is not waited for longer than a request may take', async () => {
  await using peer = await startPeer(streams([], 'stay', ndjson))
  const replay = createClient({ baseUrl: peer.url, retry: fast }).replay({ topic: 'order' })
  expect(await failureOf(all(replay))).toMatchObject({ code: 'timed_out' })
})

test('whoever leaves a replay early hangs up', async () => {
  const left = Promise.withResolvers<void>()
  await using peer = await startPeer((response) => {
    response.once('close', left.resolve)
    response.writeHead(200, { 'content-type': ndjson }).write(lines(1).join(''))
  })
  for await (const _ of createClient({ baseUrl: peer.url }).replay({ topic: 'order' })) break
  await left.promise
})
