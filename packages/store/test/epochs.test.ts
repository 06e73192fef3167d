/** What a reader gets of a log that was restored: the events that go on from where it stands, or to know that there are none. */
import { LogRestored } from '@sekali/core/errors'
import type { StoredEvent, TopicName } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { ownStore } from '@sekali/testkit/own'
import { at, event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { readRanges } from '../src/read/ranges.ts'
import { boundReplay, readPart } from '../src/read/replay.ts'
import { searchEvents } from '../src/read/search.ts'
import { readTopic } from '../src/read/topic.ts'

const orders = 'orders' as TopicName

const store = (own: Store, life: string, from: number, to: number, topic: string = orders) =>
  storeEvents(
    own,
    upTo(to, from).map((seq) => event({ topic, eventId: `${life}${seq}` })),
  )

/** 500 stored, 100 more read, a restore to 500, 150 more published; and a topic that was never restored. */
async function restored() {
  const own = await ownStore()
  await store(own, 'a', 1, 600)
  await putBack(own, orders, 500)
  await beginEpoch(own, orders)
  await store(own, 'b', 501, 650)
  await store(own, 'x', 1, 3, 'whole.x')
  return own
}

/** It is only read. */
let log: Awaited<ReturnType<typeof restored>>
beforeAll(async () => {
  log = await restored()
})
afterAll(() => log[Symbol.asyncDispose]())

const namesOf = (events: readonly StoredEvent[]) => events.map(({ eventId }) => eventId)
const names = (life: string, from: number, to: number) => upTo(to, from).map((seq) => `${life}${seq}`)
const whole = [...names('a', 1, 500), ...names('b', 501, 650)]
const one = parsePattern('orders')
const all = parsePattern('*')

/** All ways to read behind a place: a page, a page of a pattern, a search, a replay and a replay of a pattern. */
function waysAfter(own: Store, epoch: number, seq: number) {
  const byName = new Map([['orders', at(seq, epoch)]])
  const replay = async (topics: typeof one, after: typeof byName | ReturnType<typeof at>) => {
    const bound = await boundReplay(own, { topics, after, order: 'asc' })
    return await readPart(own, bound, 10_000_000)
  }
  const page = { order: 'asc', limit: 1_000 } as const
  return [
    () => readTopic(own, { topic: orders, after: at(seq, epoch), limit: 1_000 }),
    () => searchEvents(own, { topics: all, after: byName, ...page }),
    () => searchEvents(own, { topics: one, after: at(seq, epoch), source: 'shop', ...page }),
    () => replay(one, at(seq, epoch)),
    () => replay(all, byName),
  ] as (() => Promise<{ readonly events: readonly StoredEvent[] }>)[]
}

test('a reader before the fork goes on exactly, one beyond it is told, and without an epoch the first is meant', async () => {
  const own = log
  for (const way of waysAfter(own, 1, 400)) expect(namesOf((await way()).events)).toEqual(whole.slice(400))
  for (const way of waysAfter(own, 1, 500)) expect(namesOf((await way()).events)).toEqual(whole.slice(500))
  const told = { topic: 'orders', epoch: 2, forkedAt: 500, restoredAt: expect.stringMatching(/^2\d.*Z$/) }
  for (const [index, way] of waysAfter(own, 1, 501).entries()) {
    const refusal = await way().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(LogRestored)
    expect(refusal).toMatchObject({ ...told, cursor: [0, 2, 3].includes(index) ? '2.500' : 'orders:2.500' })
  }
  for (const way of waysAfter(own, 1, 600)) await expect(way()).rejects.toMatchObject(told)
  for (const way of waysAfter(own, 2, 600)) expect(namesOf((await way()).events)).toEqual(whole.slice(600))
  for (const way of waysAfter(own, 2, 900)) expect((await way()).events).toEqual([])
  for (const way of waysAfter(own, 3, 10)) await expect(way()).rejects.toMatchObject({ code: 'cursor_ahead' })
})

test('whoever reads down is told when it has read what is gone, and goes on below the fork', async () => {
  const own = log
  const down = (epoch: number, seq: number) => {
    const before = new Map([['orders', at(seq, epoch)]])
    return [
      () => readTopic(own, { topic: orders, before: at(seq, epoch), limit: 3 }),
      () => searchEvents(own, { topics: all, before, order: 'desc', limit: 3 }),
    ]
  }
  for (const way of down(1, 502))
    await expect(way()).rejects.toMatchObject({ code: 'log_restored', forkedAt: 500 })
  await expect(down(1, 502)[0]?.()).rejects.toMatchObject({ cursor: '2.501' })
  for (const way of down(1, 501)) expect(namesOf((await way()).events)).toEqual(['a500', 'a499', 'a498'])
  for (const way of down(2, 502)) expect(namesOf((await way()).events)).toEqual(['b501', 'a500', 'a499'])
})

test('every event is read with the epoch of its log, and a log that was never restored has none', async () => {
  const own = log
  const page = await readTopic(own, { topic: orders, after: at(499), limit: 2 })
  expect(page.events.map(({ seq, epoch }) => [seq, epoch])).toEqual([
    [500, 2],
    [501, 2],
  ])
  const search = { topics: parsePattern('>'), order: 'asc', limit: 1_000 } as const
  const found = await searchEvents(own, search)
  expect(found.events.every(({ topic, epoch }) => epoch === (topic === 'orders' ? 2 : undefined))).toBe(true)
  expect(found.events.some((one) => one.topic === 'whole.x' && 'epoch' in one)).toBe(false)
  const short = await searchEvents(own, { ...search, limit: 5 })
  expect([...(short.next?.values() ?? [])].map(({ epoch }) => epoch).sort()).toEqual([1, 2])
})

test('of several restores the one furthest back counts', async () => {
  await using own = await restored()
  await putBack(own, orders, 300)
  await beginEpoch(own, orders)
  await store(own, 'c', 301, 400)
  const code = async (epoch: number, seq: number) =>
    await readTopic(own, { topic: orders, after: at(seq, epoch), limit: 1 }).then(
      ({ events }) => events[0]?.eventId,
      (error: { forkedAt: number }) => error.forkedAt,
    )
  expect(await code(1, 300)).toBe('c301')
  expect(await code(1, 301)).toBe(300)
  expect(await code(1, 600)).toBe(300)
  expect(await code(2, 301)).toBe(300)
  expect(await code(2, 300)).toBe('c301')
  expect(await code(3, 301)).toBe('c302')
})

test('pages of payloads that are compressed are judged as well', async () => {
  await using own = await restored()
  await own.pool.query(`UPDATE events SET payload = json_build_object('x', repeat('x', 25000))`)
  const page = (epoch: number, seq: number) =>
    readTopic(own, { topic: orders, after: at(seq, epoch), limit: 1_000 })
  // The second time it is known that its payloads are compressed, and they are read another way.
  for (const _ of [1, 2]) {
    await expect(page(1, 600)).rejects.toMatchObject({ code: 'log_restored' })
    expect((await page(1, 499)).events[0]).toMatchObject({ seq: 500, epoch: 2 })
    expect((await page(2, 600)).events[0]).toMatchObject({ eventId: 'b601' })
  }
})

test('a feed that reads an epoch gets nothing of the next', async () => {
  const own = log
  const { rows } = await own.pool.query<{ name: string; id: number }>('SELECT name, id FROM topics')
  const ids = new Map(rows.map(({ name, id }) => [name, id]))
  const ranges = (epoch: number) => [
    { topicId: ids.get('orders') ?? 0, epoch, after: 600, upTo: 650 },
    { topicId: ids.get('whole.x') ?? 0, epoch: 1, after: 0, upTo: 3 },
  ]
  const read = async (epoch: number) =>
    (await readRanges(own, ranges(epoch), { eventsMax: 100, bytesMax: 100_000 })).map(({ event }) => event)
  expect(namesOf(await read(1))).toEqual(names('x', 1, 3))
  expect(namesOf(await read(2)).sort()).toEqual([...names('b', 601, 650), ...names('x', 1, 3)])
})

/** Runs `between` before the store's n-th statement. */
function beforeStatement(own: Store, n: number, between: () => Promise<void>): Store {
  let statements = 0
  const execute = (async (...args: Parameters<Store['db']['execute']>) => {
    if (++statements === n) await between()
    return await own.db.execute(...args)
  }) as Store['db']['execute']
  return { ...own, db: Object.assign(Object.create(own.db), { execute }) }
}

test('a search that a restore overtakes never passes over what is missing', async () => {
  await using own = await ownStore()
  await store(own, 'a', 1, 20)
  const search = { topics: all, order: 'asc', limit: 100 } as const
  const back = () => putBack(own, orders, 10)
  const givenUp = { code: 'store_unavailable' }
  // Before the keys are looked for, and between them and their events.
  await expect(searchEvents(beforeStatement(own, 2, back), search)).rejects.toMatchObject(givenUp)
  await store(own, 'a', 11, 20)
  const short = await searchEvents(beforeStatement(own, 3, back), search)
  expect([namesOf(short.events), [...(short.next?.values() ?? [])]]).toEqual([names('a', 1, 10), [at(10)]])
  await store(own, 'b', 11, 30)
  // As many numbers as before, and others.
  for (const statement of [2, 3]) {
    const fork = () => beginEpoch(own, orders)
    const forked = searchEvents(beforeStatement(own, statement, fork), search)
    await expect(forked).rejects.toMatchObject(givenUp)
  }
  const found = await searchEvents(own, search)
  expect(namesOf(found.events)).toEqual([...names('a', 1, 10), ...names('b', 11, 30)])
})

test.each([
  ['one topic', one],
  ['a pattern', all],
])('a replay of %s that a restore overtakes does not end as if it were whole', async (_, topics) => {
  await using own = await ownStore()
  await store(own, 'a', 1, 30)
  const begin = async () => {
    const replay = await boundReplay(own, { topics, order: 'asc', limit: 1_000 })
    const part = await readPart(own, replay, 100)
    const taken = part.events.length
    expect(taken).toBeLessThan(20)
    return { rest: part.rest(taken) ?? replay, taken }
  }
  const { rest, taken } = await begin()
  expect(taken).toBeGreaterThan(0)
  await putBack(own, orders, 25)
  await expect(readPart(own, rest, 10_000)).rejects.toMatchObject({ code: 'store_unavailable' })
  // The same log once more, as after a failover: it goes on.
  await store(own, 'a', 26, 30)
  expect(namesOf((await readPart(own, rest, 10_000)).events)).toEqual(names('a', taken + 1, 30))
  await putBack(own, orders, 25)
  await beginEpoch(own, orders)
  await store(own, 'b', 26, 30)
  await expect(readPart(own, rest, 10_000)).rejects.toMatchObject({ code: 'log_restored', forkedAt: 25 })
})
