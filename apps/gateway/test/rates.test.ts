/** How the figures went: what a gateway keeps of them, and what it does not know. */
import { setTimeout as sleep } from 'node:timers/promises'
import { outcomesOf } from '@sekali/core/figures'
import { eventually } from '@sekali/testkit/eventually'
import { event } from '@sekali/testkit/sample'
import { ownRedis } from '@sekali/testkit/servers'
import { storeEvents } from '@sekali/testkit/store-events'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { TopicFigures } from '../src/operate/figures.ts'
import type { Reading } from '../src/operate/readings.ts'
import { createGrid } from '../src/rates/grid.ts'
import { rates } from '../src/rates/rates.ts'
import { createSampler } from '../src/rates/sampler.ts'
import { eventBody, post } from './gateway.ts'
import { ownKeys } from './own-keys.ts'

interface Rates {
  readonly started_at: string | null
  readonly interval_seconds: number
  readonly topic?: string
  readonly accepted: readonly (number | null)[]
  readonly stored: readonly (number | null)[]
  readonly in_flight: readonly (number | null)[]
  readonly topics: readonly Omit<Rates, 'topics'>[]
}

const sampling = { intervalMs: 200, perTopicInterval: 2 }

async function ownRates(redisUrl?: string) {
  const own = await ownKeys({ auth: 'off', sampling }, redisUrl)
  return {
    ...own,
    rates: async (query = '') => (await (await own.ask(`/rates${query}`)).json()) as Rates,
  }
}

const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null)
const total = (values: readonly (number | null)[]) => known(values).reduce((sum, value) => sum + value, 0)

test('before it samples, a gateway knows nothing, and says so', async () => {
  await using own = await ownRates()
  const nothing = { started_at: null, interval_seconds: 0.2, newest_seconds: null, accepted: [], stored: [] }
  expect(await own.rates()).toMatchObject({ ...nothing, in_flight: [] })
  expect(await own.rates('?topic=a')).toEqual({ ...nothing, interval_seconds: 0.4, topic: 'a' })
  expect(await own.rates('?topic=>')).toMatchObject({ started_at: null, topics: [] })
  expect((await own.ask('/rates?topic=a..b')).status).toBe(422)
})

test('what is accepted and what is stored shows, of all and of each topic, and how much is in flight', async () => {
  await using own = await ownRates()
  own.sampler.start()
  await eventually(async () => expect(known((await own.rates('?topic=a')).accepted).length).toBe(0))
  await eventually(async () => expect(known((await own.rates()).accepted).length).toBeGreaterThan(0))
  for (const id of ['1', '2'])
    await own.ask('/publish', undefined, post(eventBody({ topic: 'a', event_id: id })))
  await storeEvents(own.store, [event({ topic: 'b', eventId: '1' })])
  const { started_at } = await eventually(async () => {
    const now = await own.rates()
    expect([total(now.accepted) > 0, total(now.stored) > 0, now.in_flight.at(-1)]).toEqual([true, true, 2])
    return now
  })
  expect(Math.abs(Date.now() - Date.parse(String(started_at)))).toBeLessThan(120_000)
  const { topics } = await eventually(async () => {
    const now = await own.rates('?topic=>')
    expect(now.topics.map(({ accepted }) => total(accepted) > 0)).toEqual([true, true])
    return now
  })
  expect(topics.map(({ topic, stored }) => [topic, total(stored) > 0])).toEqual([
    ['a', false],
    ['b', true],
  ])
  expect((await own.rates('?topic=b')).stored.length).toBe((await own.rates('?topic=b')).accepted.length)
  const page = await own.ask('/rates?topic=>&limit=1')
  expect(page.headers.get('link')).toBe('<?topic=%3E&limit=1&after=a>; rel="next"')
  expect((await own.rates('?topic=%3E&limit=1&after=a')).topics.map(({ topic }) => topic)).toEqual(['b'])
})

test('while Redis is away what is accepted is not known, and afterwards it is again', async () => {
  await using redis = await ownRedis()
  await using own = await ownRates(redis.url)
  await own.ask('/publish', undefined, post(eventBody({ topic: 'a' })))
  own.sampler.start()
  await eventually(async () => expect(known((await own.rates()).accepted).length).toBeGreaterThan(0))
  await redis.kill()
  await eventually(async () => {
    const { accepted, stored, in_flight } = await own.rates()
    expect([accepted.at(-1), in_flight.at(-1), typeof stored.at(-1)]).toEqual([null, null, 'number'])
  })
  await redis.start()
  await eventually(async () => expect(typeof (await own.rates()).accepted.at(-1)).toBe('number'), 20_000)
  // Nothing came meanwhile: what was there before is no rush of events when it is known again.
  for (const query of ['', '?topic=a']) expect(total((await own.rates(query)).accepted)).toBe(0)
})

test('a key of some topics gets the rates of these', async () => {
  await using own = await ownKeys({ sampling })
  const { text } = await own.make({ scopes: ['read'], topics: ['orders.>'] })
  const statusOf = async (query: string) => (await own.ask(`/rates${query}`, text)).status
  expect(await Promise.all(['?topic=orders.eu', '?topic=orders.*'].map(statusOf))).toEqual([200, 200])
  expect(await Promise.all(['', '?topic=>', '?topic=payments'].map(statusOf))).toEqual([403, 403, 403])
})

const figures = (topic: string, accepted: number | null): TopicFigures => ({
  ...outcomesOf(() => accepted),
  ...{ topic, accepted, inFlight: 0, headSeq: accepted, lossAt: null },
})
const reading = (...topics: readonly TopicFigures[]): Reading => {
  const sum = topics.reduce((all, one) => all + (one.accepted ?? 0), 0)
  return { totals: figures('', sum), topics, consumers: [], streams: new Map() }
}

test('a topic that is new had nothing before, one that is gone is forgotten, and what went back is not known', async () => {
  const readings = [
    reading(figures('a', 1_000)),
    reading(figures('a', 1_000), figures('new', 50)),
    reading(figures('a', 10), figures('new', 50)),
    reading(figures('new', 50)),
  ]
  let taken = 0
  await using sampler = createSampler(
    { readings: { read: async () => readings[Math.min(taken++, readings.length - 1)] as Reading } },
    { intervalMs: 40, perTopicInterval: 1 },
  )
  sampler.start()
  await eventually(() => expect(taken).toBeGreaterThan(4))
  const { accepted, stored } = sampler.ofTopics
  expect([[...accepted.names], [...stored.names]]).toEqual([['new'], ['new']])
  const rates = known(accepted.values('new'))
  expect(rates[0]).toBeGreaterThan(0)
  expect(new Set(rates)).toEqual(new Set([rates[0], 0])) // where a reading took long, the mean of two intervals
  const all = sampler.ofAll.grid.values('accepted')
  expect([total(all) > 0, all.includes(null)]).toEqual([true, true]) // 990 less, and then 10 less
})

test('where readings are slow and intervals are left out, the newest value says how long it is of', async () => {
  let taken = 0
  const read = async () => {
    taken += 1
    await sleep(20)
    return reading(figures('a', taken))
  }
  await using sampler = createSampler({ readings: { read } }, { intervalMs: 40, perTopicInterval: 1 })
  expect(sampler.ofAll.newestMs()).toBeUndefined()
  sampler.start()
  await eventually(() => expect(taken).toBeGreaterThan(2))
  for (const { newestMs } of [sampler.ofAll, sampler.ofTopics]) expect(newestMs()).toBeGreaterThan(5 * 40)
})

test('a grid keeps so many intervals of so many names; what nobody has set is not known', () => {
  const grid = createGrid(3, 2)
  expect([grid.bounds(), grid.values('a')]).toEqual([{ from: 0, to: 0 }, []])
  grid.advance(1)
  grid.set('a', 1, 1)
  grid.advance(3)
  grid.set('b', 2, 2.0004)
  grid.set('c', 1, 3) // a third name
  expect([grid.values('a'), grid.values('b'), grid.values('c')]).toEqual([
    [1, null, null],
    [null, 2, 2],
    [null, null, null],
  ])
  grid.advance(5)
  grid.set('a', 9, 4)
  expect([grid.bounds(), grid.values('a'), grid.values('b')]).toEqual([
    { from: 2, to: 5 },
    [4, 4, 4],
    [2, null, null],
  ])
  grid.advance(50)
  expect(grid.values('a')).toEqual([null, null, null])
  grid.keep((name) => name === 'b')
  expect([[...grid.names], grid.size]).toEqual([['b'], 1])
})

test('the names of topics are put in order once in an interval, however many pages are asked for', async () => {
  let reads = 0
  let to = 1
  const names = Array.from({ length: 50 }, (_, n) => `t.${n}`).reverse()
  const grid = {
    bounds: () => ({ from: 0, to }),
    values: () => [],
    size: 50,
    names: {
      [Symbol.iterator]() {
        reads += 1
        return names.values()
      },
    },
  }
  const of = { intervalMs: 1_000, startedAt: () => undefined, newestMs: () => undefined }
  const stored = { ...grid, names: [] }
  const app = new Hono().get(
    '/rates',
    rates({ ofAll: { ...of, grid }, ofTopics: { ...of, accepted: grid, stored } }),
  )
  const seen: string[] = []
  for (let query = '?topic=t.*&limit=20'; query !== ''; ) {
    const response = await app.request(`/rates${query}`)
    seen.push(...((await response.json()) as Rates).topics.map(({ topic }) => String(topic)))
    query = /<(.*)>/.exec(response.headers.get('link') ?? '')?.[1] ?? ''
  }
  expect([seen, reads]).toEqual([names.toSorted(), 1])
  to = 2
  names.push('t.new')
  const all = (await (await app.request('/rates?topic=t.*&limit=100')).json()) as Rates
  expect([all.topics.length, reads]).toEqual([51, 2])
})
