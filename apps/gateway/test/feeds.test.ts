/** What many tails of many topics and patterns cost, and how many there may be. */
import { setTimeout as pause } from 'node:timers/promises'
import { untilConnected } from '@sekali/broker/connect'
import { ClientLimit, Overloaded } from '@sekali/core/errors'
import { parsePattern } from '@sekali/core/pattern'
import { createLog } from '@sekali/process/log'
import { connectStore, type Store, withTransaction } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase, ownPrefix, ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, inject, test } from 'vitest'
import { createHeads } from '../src/heads/heads.ts'
import type { FeedInUse } from '../src/tail/feeds.ts'
import type { TailsOptions } from '../src/tail/tails.ts'
import { problemIn } from './gateway.ts'
import { serveGateway } from './served-gateway.ts'
import { openTail } from './sse.ts'

const log = createLog('gateway', 'silent')

/** A gateway in this process without consumers: what is stored is found by looking. */
async function ownGateway(tailsOptions: TailsOptions = {}) {
  const stack = new AsyncDisposableStack()
  const redisUrl = inject('redisUrl')
  const { url: databaseUrl } = stack.use(await ownDatabase())
  const prefix = ownPrefix()
  const gateway = stack.use(await serveGateway({ redisUrl, databaseUrl, prefix, tails: tailsOptions }))
  await untilConnected(gateway.broker, 15_000)
  return {
    ...gateway,
    databaseUrl,
    tail: (query: string) => openTail(gateway.url, query),
    refused: async (query: string) => {
      const answer = await fetch(`${gateway.url}/tail?${query}`)
      return [answer.status, answer.headers.has('retry-after'), (await problemIn(answer)).code]
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const bear = (store: Store, prefix: string, count: number) =>
  store.pool.query(`INSERT INTO topics (name) SELECT $1 || n FROM generate_series(1, $2::int) n`, [
    prefix,
    count,
  ])

const countReads = (store: Store) => {
  let reads = 0
  store.pool.on('acquire', () => reads++)
  return () => reads
}

test('as long as nothing changes, thousands of topics are not read again and again', async () => {
  await using store = await ownStore()
  await using broker = await ownBroker()
  await bear(store, 'quiet.x', 5_000)
  await bear(store, 'orders.eu.x', 2)
  const streams = new Set<{ readonly bytesRead: number }>()
  let looks = 0
  store.pool.on('acquire', (client) => {
    looks += 1
    streams.add((client as unknown as { connection: { stream: { bytesRead: number } } }).connection.stream)
  })
  const bytesRead = () => [...streams].reduce((sum, stream) => sum + stream.bytesRead, 0)
  await using heads = createHeads({ broker, store, log }, { pollMs: 20 })
  const seen = new Map<string, number>()
  using _watch = heads.watch(parsePattern('orders.*.*'), ({ topic, head }) => seen.set(topic, head))
  await eventually(() => expect([...seen.keys()].sort()).toEqual(['orders.eu.x1', 'orders.eu.x2']))
  await eventually(() => expect(looks).toBeGreaterThan(4))
  const before = { looks, bytes: bytesRead() }
  await eventually(() => expect(looks).toBeGreaterThan(before.looks + 10))
  expect((bytesRead() - before.bytes) / (looks - before.looks)).toBeLessThan(5_000)
  // What changes is found all the same, though nobody announces it.
  await store.pool.query("UPDATE topics SET head = 7 WHERE name IN ('orders.eu.x2', 'quiet.x77')")
  await eventually(() => expect(seen.get('orders.eu.x2')).toBe(7))
  await store.pool.query("UPDATE topics SET head = 3 WHERE name = 'orders.eu.x2'")
  await eventually(() => expect(seen.get('orders.eu.x2')).toBe(3))
})

test('what an older transaction commits late is found [P5]', async () => {
  await using store = await ownStore()
  await using broker = await ownBroker()
  await bear(store, 'orders.x', 2)
  let looks = 0
  store.pool.on('acquire', () => looks++)
  await using heads = createHeads({ broker, store, log }, { pollMs: 10 })
  const seen = new Map<string, number>()
  using _watch = heads.watch(parsePattern('orders.*'), ({ topic, head }) => seen.set(topic, head))
  await eventually(() => expect(seen.size).toBe(2))
  const writer = await store.pool.connect()
  try {
    await writer.query("BEGIN; UPDATE topics SET head = 5 WHERE name = 'orders.x1'")
    for (let round = 1; round <= 3; round++) {
      await store.pool.query("UPDATE topics SET head = $1 WHERE name = 'orders.x2'", [round])
      await eventually(() => expect(seen.get('orders.x2')).toBe(round))
    }
    expect(seen.get('orders.x1')).toBe(0)
    await writer.query('COMMIT')
  } finally {
    writer.release()
  }
  await eventually(() => expect(seen.get('orders.x1')).toBe(5), 5_000)
})

test('hundreds of tails that come together share what they read, and so does an event that concerns them all', async () => {
  await using own = await ownGateway()
  await bear(own.store, 'w.x.x.x.x.x.x.', 2)
  const reads = countReads(own.store)
  // 128 patterns that match both topics, and 128 that match none.
  const patterns = Array.from({ length: 256 }, (_, index) => {
    const segments = index.toString(2).padStart(8, '0').split('')
    return [index < 128 ? 'w' : 'none', ...segments.slice(2).map((bit) => (bit === '1' ? '*' : 'x'))]
      .concat(segments[1] === '1' ? '*' : '>')
      .join('.')
  })
  // They come together, however long a busy machine takes to let them all in: until then nothing is read.
  await using operator = connectStore({ url: own.databaseUrl, poolMax: 1, name: 'test' }, log)
  const tails = await withTransaction(operator, 'test', async (tx) => {
    await tx.execute('LOCK TABLE topics IN ACCESS EXCLUSIVE MODE')
    const opened = patterns.map((pattern) => own.tail(`topic=${pattern}`))
    await eventually(() => expect(own.arrived()).toBe(patterns.length))
    return opened
  })
  await Promise.all(tails.map(({ answered }) => answered))
  expect(reads()).toBeLessThan(200)
  const before = reads()
  await storeEvents(own.store, [event({ topic: 'w.x.x.x.x.x.x.1', eventId: 'e1' })])
  await eventually(() => expect(tails.slice(0, 128).every(({ told }) => told.length === 1)).toBe(true))
  expect(reads() - before).toBeLessThan(60)
  expect(tails.slice(128).every(({ told }) => told.length === 0)).toBe(true)
  for (const tail of tails) tail[Symbol.dispose]()
})

test('a client that follows most of what there is room for is refused another, and feeds that were left give way', async () => {
  await using own = await ownGateway({ feedsMax: 16, tickMs: 20 })
  // A pattern counts as four, and one client may have three times what is free.
  const tails = ['a.*', 'b.*', 'c.*'].map((pattern) => own.tail(`topic=${pattern}`))
  for (const { answered } of tails) expect((await answered).statusCode).toBe(200)
  expect(await own.refused('topic=d.*')).toEqual([429, true, 'client_limit'])
  using same = own.tail('topic=c.*&from=start')
  expect((await same.answered).statusCode).toBe(200)
  // It has just left and may come back; but somebody else wants in.
  tails[0]?.[Symbol.dispose]()
  await eventually(async () => {
    using other = own.tail('topic=d.*')
    expect((await other.answered).statusCode).toBe(200)
  })
  for (const tail of tails) tail[Symbol.dispose]()
})

test('others find room beside a client that has taken all it can, and when there is none it is for nobody', async () => {
  await using own = await ownGateway({ feedsMax: 8 })
  const uses: FeedInUse[] = []
  const fill = (client: string) => {
    for (let index = 0; index < 100; index++)
      uses.push(own.tails.feedOf(parsePattern(`${client}${index}`), client))
  }
  expect(() => fill('a')).toThrow(ClientLimit)
  expect(uses.length).toBe(6)
  expect(() => fill('b')).toThrow(Overloaded)
  expect(uses.length).toBe(8)
  expect(await own.refused('topic=f')).toEqual([503, true, 'too_many_tails'])
  // Those in use stay. What was refused holds nothing, and what is given back twice is given back once.
  uses[0]?.[Symbol.dispose]()
  uses[0]?.[Symbol.dispose]()
  using tail = own.tail('topic=f')
  expect((await tail.answered).statusCode).toBe(200)
  expect(uses.slice(1).every(({ feed }) => !feed.isClosed)).toBe(true)
  expect(uses[0]?.feed.isClosed).toBe(true)
})

test('a client at its share closes feeds that it left itself, and not those that others left', async () => {
  await using own = await ownGateway({ feedsMax: 8 })
  const use = (client: string, topic: string) => own.tails.feedOf(parsePattern(topic), client)
  const ofOther = use('other', 'left')
  ofOther[Symbol.dispose]()
  const uses = Array.from({ length: 6 }, (_, index) => use('greedy', `a${index}`))
  expect(() => use('greedy', 'more')).toThrow(ClientLimit)
  expect(ofOther.feed.isClosed).toBe(false)
  uses[0]?.[Symbol.dispose]()
  use('greedy', 'more')
  expect(uses[0]?.feed.isClosed).toBe(true)
  expect(ofOther.feed.isClosed).toBe(false)
  // When there is no room at all, whoever has least of it may close what somebody else left.
  use('third', 'c')
  use('third', 'd')
  expect(ofOther.feed.isClosed).toBe(true)
})

test('a pattern of too many topics is refused as often as it comes, and holds no room', async () => {
  await using own = await ownGateway({ feedsMax: 8 })
  await bear(own.store, 'many.', 501)
  for (let round = 0; round < 4; round++) {
    expect(await own.refused('topic=many.*')).toEqual([422, false, 'too_many_topics'])
  }
  using tail = own.tail('topic=few.*')
  expect((await tail.answered).statusCode).toBe(200)
  // It has no topics yet, and ends when it has too many.
  await bear(own.store, 'few.', 501)
  await tail.over
})

test('a tail of a pattern misses nothing of topics that are born while it begins', async () => {
  await using own = await ownGateway()
  const tails: ReturnType<typeof own.tail>[] = []
  for (let born = 1; born <= 15; born++) {
    tails.push(own.tail(`topic=born.*&from=start`), own.tail(`topic=*.t${born}&from=start`))
    const events = [1, 2].map((n) => event({ topic: `born.t${born}`, eventId: `e${n}` }))
    await storeEvents(own.store, events)
    await pause(0)
  }
  const idsOf = ({ told }: (typeof tails)[number]) => told.map(({ data }) => `${data.topic}:${data.seq}`)
  await eventually(() => {
    for (const [index, tail] of tails.entries()) {
      const ids = idsOf(tail)
      expect(ids.length).toBe(index % 2 === 0 ? 30 : 2)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })
  for (const tail of tails) tail[Symbol.dispose]()
})
