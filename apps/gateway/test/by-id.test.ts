/** An event of which one knows the id alone, and what its source sent before and after it. */
import { fillLog } from '@sekali/testkit/fill-log'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { problemIn } from './gateway.ts'
import { ownKeys } from './own-keys.ts'

let own: Awaited<ReturnType<typeof ownKeys>>
let all = ''
beforeAll(async () => {
  own = await ownKeys()
  all = (await own.make()).text
  for (const topic of ['orders.eu', 'orders.us', 'payments']) {
    const ids = ['one', 'a/b ?&', ...(topic === 'payments' ? [] : ['1.2'])]
    await storeEvents(
      own.store,
      ids.map((eventId) => event({ topic, eventId, payload: `{"of":"${topic}"}` })),
    )
  }
  const sources = ['s1', 's2', 's1', 's2', 's1', 's1']
  await storeEvents(
    own.store,
    sources.map((source, n) => event({ topic: 'log', eventId: `log-${n + 1}`, source })),
  )
})
afterAll(() => own[Symbol.asyncDispose]())

interface Found {
  readonly topic: string
  readonly event_id: string
  readonly seq: number
  readonly payload: { readonly of: string }
}

const find = async (query: Record<string, string>, key = all) => {
  const response = await own.ask(`/events?${new URLSearchParams(query)}`, key)
  expect(response.status).toBe(200)
  expect(response.headers.get('link')).toBeNull()
  return (await response.json()) as Found[]
}
const topicsOf = (found: readonly Found[]) => found.map(({ topic }) => topic)

test('a bare id finds the events that have it, in all topics, the newest first', async () => {
  const found = await find({ event_id: 'one' })
  expect(topicsOf(found)).toEqual(['payments', 'orders.us', 'orders.eu'])
  expect(found.map(({ payload }) => payload.of)).toEqual(topicsOf(found))
  expect(topicsOf(await find({ event_id: 'a/b ?&', limit: '2' }))).toEqual(['payments', 'orders.us'])
  expect(await find({ event_id: 'nothing' })).toEqual([])
})

test('a topic or pattern narrows it down', async () => {
  expect(topicsOf(await find({ event_id: 'one', topic: 'orders.*' }))).toEqual(['orders.us', 'orders.eu'])
  expect(topicsOf(await find({ event_id: '1.2', topic: 'orders.eu' }))).toEqual(['orders.eu'])
  expect(await find({ event_id: 'one', topic: 'nothing.>' })).toEqual([])
})

test('a key finds what its topics have, whether it names them or not', async () => {
  const { text } = await own.make({ scopes: ['read'], topics: ['orders.>'] })
  expect(topicsOf(await find({ event_id: 'one', topic: 'orders.>' }, text))).toEqual([
    'orders.us',
    'orders.eu',
  ])
  const both = await own.make({ scopes: ['read'], topics: ['payments', 'orders.eu'] })
  expect(topicsOf(await find({ event_id: 'one' }, text))).toEqual(['orders.us', 'orders.eu'])
  expect(topicsOf(await find({ event_id: 'one' }, both.text))).toEqual(['payments', 'orders.eu'])
  expect(topicsOf(await find({ event_id: 'one', limit: '1' }, both.text))).toEqual(['payments'])
  for (const query of ['event_id=one&topic=>', 'event_id=one&topic=payments']) {
    expect((await own.ask(`/events?${query}`, text)).status).toBe(403)
  }
})

test('what says nothing beside an id is refused, and so is a replay of it', async () => {
  for (const more of [
    'source=a',
    'from=2025-01-01T00:00:00Z',
    'by=received_at',
    'after=1&topic=a',
    'order=asc',
  ]) {
    const refused = await own.ask(`/events?event_id=one&${more}`, all)
    expect([more, refused.status]).toEqual([more, 422])
    expect((await problemIn(refused)).errors?.[0]).toMatchObject({ path: 'event_id' })
  }
  for (const id of ['', 'x'.repeat(257), 'a%00b']) {
    expect((await own.ask(`/events?event_id=${id}`, all)).status).toBe(422)
  }
  const headers = { Accept: 'application/x-ndjson' }
  expect((await own.ask('/events?event_id=one', all, { headers })).status).toBe(406)
})

test('of thousands of topics the log of none is read for it', async () => {
  const text = `INSERT INTO topics (name) SELECT 'many.' || n FROM generate_series(1, 3000) n`
  await own.store.pool.query(text)
  await fillLog(own.store, { big: 20_000 }, { payload: `'{}'` })
  await own.store.pool.query('ANALYZE')
  const scans = async () => {
    await own.store.pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await own.store.pool.query(
      `SELECT coalesce(sum(seq_scan), 0)::int AS scans FROM pg_stat_user_tables WHERE relname = 'events'`,
    )
    return rows[0].scans
  }
  const before = await scans()
  expect(topicsOf(await find({ event_id: 'one' }))).toHaveLength(3)
  expect(await scans()).toBe(before)
})

test('what came from the source of an event before it and after it is a page each', async () => {
  const ids = async (query: string) => {
    const response = await own.ask(`/events?topic=log&source=s1&limit=2&${query}`, all)
    return ((await response.json()) as Found[]).map(({ event_id }) => event_id)
  }
  expect(await ids('before=5')).toEqual(['log-3', 'log-1'])
  expect(await ids('after=3')).toEqual(['log-5', 'log-6'])
  expect([await ids('before=1'), await ids('after=6')]).toEqual([[], []])
})
