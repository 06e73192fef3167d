/** What /stats says beside the figures: how long the oldest waits, and how many letters are open. */
import { eventually } from '@sekali/testkit/eventually'
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { createGateway, eventBody, nowhere, post } from './gateway.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { callsOf } from './own-subscription.ts'

interface Stats {
  readonly totals: { readonly in_flight: number | null }
  readonly oldest_in_flight_seconds: number | null
  readonly open_letters: Readonly<Record<'entries' | 'conflicts' | 'deliveries', number>> | null
}

type Own = Awaited<ReturnType<typeof ownKeys>>

const statsOf = async (own: Own, key: string) => (await (await own.ask('/stats', key)).json()) as Stats

test('what waits longest has its age, and a key of some topics gets that of its own', async () => {
  await using own = await ownKeys() // where nobody stores
  const { text } = await own.make()
  const ageOf = async (key = text) => Number((await statsOf(own, key)).oldest_in_flight_seconds)
  expect((await statsOf(own, text)).oldest_in_flight_seconds).toBe(0)
  await own.ask('/publish', text, post(eventBody({ topic: 'early' })))
  await eventually(async () => expect(await ageOf()).toBeGreaterThan(0.5))
  await own.ask('/publish', text, post(eventBody({ topic: 'late' })))
  const late = await own.make({ topics: ['late'] })
  const other = await own.make({ topics: ['other.>'] })
  const [ofLate, ofAll] = [await ageOf(late.text), await ageOf()]
  expect(ofLate).toBeGreaterThanOrEqual(0)
  expect(ofAll).toBeGreaterThan(ofLate + 0.4)
  expect((await statsOf(own, other.text)).oldest_in_flight_seconds).toBe(0)
})

test('open letters are counted by kind, until somebody deals with them, for a key those of its topics', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const some = await own.make({ topics: ['counted.a'] })
  expect((await statsOf(own, text)).open_letters).toEqual({ entries: 0, conflicts: 0, deliveries: 0 })
  for (const id of ['1', '2', '3']) await makeDead(own.store, id, { topic: 'counted.a' })
  await makeDead(own.store, '4', { topic: 'counted.b' })
  await makeConflict(own.store, '5', { topic: 'counted.b' })
  expect((await statsOf(own, text)).open_letters).toEqual({ entries: 4, conflicts: 1, deliveries: 0 })
  expect((await statsOf(own, some.text)).open_letters).toEqual({ entries: 3, conflicts: 0, deliveries: 0 })
  const discard = post(JSON.stringify({ reason: 'known' }))
  expect((await own.ask('/dead-letters/e-1/discard', text, discard)).status).toBe(200)
  expect((await own.ask('/dead-letters/c-1/discard', text, discard)).status).toBe(200)
  expect((await statsOf(own, text)).open_letters).toEqual({ entries: 3, conflicts: 0, deliveries: 0 })
  expect((await statsOf(own, some.text)).open_letters).toEqual({ entries: 2, conflicts: 0, deliveries: 0 })
})

test('open letters are as many as the list has, of each kind, whoever asks', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  const ofOrders = await own.make({ topics: ['orders.>'] })
  const ofOne = await own.make({ topics: ['orders.eu'] })
  const calls = callsOf(own.url, bearer(text))
  await storeEvents(
    own.store,
    ['1', '2', '3', '4'].map((eventId) => event({ topic: 'orders.eu', eventId })),
  )
  await makeDead(own.store, '5', { topic: 'orders.eu' })
  await makeConflict(own.store, '6', { topic: 'users' })
  for (const [name, topics, count] of [
    ['all', '>', 4],
    ['orders', 'orders.>', 2],
    ['one', 'orders.eu', 1],
  ] as const) {
    await calls.put(name, { topics, from: 'start' })
    const { items } = await calls.pulled(name)
    await calls.settle(
      name,
      items.slice(0, count).map(({ token }) => ({ token, do: 'term' })),
    )
  }
  const counted = async (key: string) => (await statsOf(own, key)).open_letters
  const listed = async (key: string) => {
    const count = async (kind: string) =>
      ((await (await own.ask(`/dead-letters?state=open&kind=${kind}`, key)).json()) as unknown[]).length
    return {
      entries: await count('entry'),
      conflicts: await count('conflict'),
      deliveries: await count('delivery'),
    }
  }
  expect(await counted(text)).toEqual({ entries: 1, conflicts: 1, deliveries: 7 })
  for (const key of [text, ofOrders.text, ofOne.text]) expect(await counted(key)).toEqual(await listed(key))
  expect(await counted(ofOrders.text)).toEqual({ entries: 1, conflicts: 0, deliveries: 3 })
  const discard = post(JSON.stringify({ reason: 'known' }))
  expect((await own.ask('/dead-letters/d-1/discard', text, discard)).status).toBe(200)
  expect(await counted(text)).toEqual({ entries: 1, conflicts: 1, deliveries: 6 })
  expect(await counted(text)).toEqual(await listed(text))
})

test('the pages of a reading share one count', async () => {
  await using own = await ownKeys()
  const { text } = await own.make()
  for (const id of ['1', '2']) await makeDead(own.store, id, { topic: `paged.${id}` })
  const first = await own.ask('/stats?limit=1', text)
  const [, next = ''] = /<(.*)>/.exec(first.headers.get('link') ?? '') ?? []
  await makeDead(own.store, '3', { topic: 'paged.3' })
  const pages = [first, await own.ask(`/stats${next}`, text)]
  const open = await Promise.all(pages.map(async (page) => ((await page.json()) as Stats).open_letters))
  expect(open).toEqual([open[0], { entries: 2, conflicts: 0, deliveries: 0 }])
  expect((await statsOf(own, text)).open_letters).toEqual({ entries: 3, conflicts: 0, deliveries: 0 })
})

test('without the servers neither is known', async () => {
  await using gateway = createGateway(nowhere)
  const answer = (await (await gateway.app.request('/stats')).json()) as Stats
  expect([answer.oldest_in_flight_seconds, answer.open_letters]).toEqual([null, null])
})
