/** What workers could not do: dead letters of the kind delivery. */

import { makeDead } from '@sekali/testkit/letters'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { post, problemIn } from './gateway.ts'
import { bearer, ownKeys } from './own-keys.ts'
import { callsOf } from './own-subscription.ts'

let own: Awaited<ReturnType<typeof ownKeys>>
let first = ''
let calls: ReturnType<typeof callsOf>
beforeAll(async () => {
  own = await ownKeys()
  first = (await own.make()).text
  calls = callsOf(own.url, bearer(first))
  await storeEvents(
    own.store,
    ['1', '2', '3', '4', '5'].map((eventId) =>
      event({ topic: 'orders', eventId, payload: `{ "n": ${eventId}.0 }` }),
    ),
  )
  await makeDead(own.store, 'bad', { topic: 'orders' }) // e-1
  await calls.put('mailer', { topics: 'orders', deliveries_max: 1, backoff_s: [] })
  const { items } = await calls.pulled('mailer')
  const [one, two, three, four, five] = items.map(({ token }) => token)
  await calls.settle('mailer', [
    { token: one, do: 'term', reason: 'no such address' },
    { token: two, do: 'nak' },
    { token: three, do: 'nak' },
    { token: four, do: 'term', reason: 'no such address' },
    { token: five, do: 'ack' },
  ])
  expect((await calls.pull('mailer')).status).toBe(204) // whoever looks gives up what was delivered too often
})
afterAll(() => own[Symbol.asyncDispose]())

type Json = Record<string, unknown>
const ask = (path: string, body?: object, key = first) =>
  own.ask(path, key, body && post(JSON.stringify(body)))
const list = async (query = '', key = first) =>
  (await (await ask(`/dead-letters${query}`, undefined, key)).json()) as Json[]
const idsOf = (letters: readonly Json[]) => letters.map(({ id }) => id)

test('they are listed among the others, by what they are, and page by page', async () => {
  expect(await calls.show('mailer')).toMatchObject({ dead: 4, lag: 0, outstanding: 0 })
  const all = await list()
  expect(idsOf(all)).toHaveLength(5)
  expect(idsOf(all).filter((id) => String(id).startsWith('d-'))).toHaveLength(4)
  expect(idsOf(await list('?kind=entry'))).toEqual(['e-1'])
  const deliveries = await list('?kind=delivery')
  expect(deliveries.map(({ seq }) => seq).sort()).toEqual([1, 2, 3, 4])
  expect(deliveries.find(({ seq }) => seq === 1)).toMatchObject({
    kind: 'delivery',
    topic: 'orders',
    event_id: '1',
    subscription: 'mailer',
    attempts: 1,
    reason: 'terminated',
    said: 'no such address',
    kept: true,
    state: 'open',
  })
  expect(deliveries.find(({ seq }) => seq === 2)).toMatchObject({ reason: 'exhausted', attempts: 1 })
  expect((await list('?reason=exhausted')).map(({ seq }) => seq).sort()).toEqual([2, 3])
  expect(idsOf(await list('?subscription=other'))).toEqual([])
  expect(idsOf(await list('?subscription=mailer'))).toHaveLength(4)
  const paged: unknown[] = []
  let next = '?limit=2'
  while (next !== '') {
    const page = await ask(`/dead-letters${next}`)
    paged.push(...idsOf((await page.json()) as Json[]))
    next = /<(.*)>/.exec(page.headers.get('link') ?? '')?.[1] ?? ''
  }
  expect(paged).toEqual(idsOf(all))
})

test('one is shown with its event, byte for byte [P8]', async () => {
  const [{ id } = {}] = (await list('?kind=delivery')).filter(({ seq }) => seq === 1)
  const answer = await ask(`/dead-letters/${id}`)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain('"payload":{ "n": 1.0 }')
  expect((await ask('/dead-letters/d-999')).status).toBe(404)
  const refused = await ask(`/dead-letters/${id}/publish-as`, { event_id: 'new' })
  expect([refused.status, (await problemIn(refused)).code]).toEqual([409, 'not_a_conflict'])
})

test('they are counted, and handed out again as if for the first time', async () => {
  const filter = { subscription: 'mailer', reason: 'exhausted' }
  const counted = (await (await ask('/dead-letters/redrive', { filter, dry_run: true })).json()) as Json
  expect(counted).toEqual({
    matched: 2,
    by_reason: { exhausted: 2 },
    as_of: expect.stringMatching(/^d-\d+$/),
  })
  const { as_of } = counted
  const other = await ask('/dead-letters/redrive', { filter, as_of, expect: 3 })
  expect([other.status, await other.json()]).toMatchObject([409, { code: 'count_changed', matched: 2 }])
  const done = await ask('/dead-letters/redrive', { filter, as_of, expect: 2 })
  expect([done.status, await done.json()]).toMatchObject([200, { matched: 2, redriven: 2 }])
  const { items } = await calls.pulled('mailer')
  expect(items.map(({ attempt, event: { seq } }) => [seq, attempt])).toEqual([
    [2, 1],
    [3, 1],
  ])
  await calls.settle(
    'mailer',
    items.map(({ token }) => ({ token, do: 'ack' })),
  )
  expect((await list('?kind=delivery&state=redriven')).map(({ seq }) => seq).sort()).toEqual([2, 3])
})

test('one can be discarded, once', async () => {
  const [{ id } = {}] = (await list('?kind=delivery')).filter(({ seq }) => seq === 4)
  const discarded = await ask(`/dead-letters/${id}/discard`, { reason: 'a test' })
  expect([discarded.status, await discarded.json()]).toMatchObject([
    200,
    { id, state: 'settled', settled: { became: 'discarded', reason: 'a test' } },
  ])
  const again = await ask(`/dead-letters/${id}/discard`, { reason: 'a test' })
  expect([again.status, (await problemIn(again)).code]).toEqual([409, 'letter_settled'])
})

test.each<[path: string, body: object]>([
  ['as_of', { filter: { subscription: 'mailer' }, as_of: 'e-1', expect: 1 }],
  ['filter.id', { filter: { subscription: 'mailer', id: 'e-1' }, dry_run: true }],
  ['filter.reason', { filter: { subscription: 'mailer', reason: '23514' }, dry_run: true }],
  ['rate', { filter: { subscription: 'mailer' }, dry_run: true, rate: 5 }],
  ['filter.id', { filter: { id: 'd-1' }, dry_run: true }],
  ['as_of', { filter: { subscription: 'mailer' } }],
])('a redrive that does not fit is refused, and named: %s', async (path, body) => {
  const refused = await ask('/dead-letters/redrive', body)
  const { code, errors } = await problemIn(refused)
  expect([refused.status, code, errors?.[0]?.path]).toEqual([422, 'invalid_body', path])
})

test('a key sees those of subscriptions whose topics it covers, and no sign of others', async () => {
  const some = (await own.make({ topics: ['orders'] })).text
  const other = (await own.make({ topics: ['payments'] })).text
  await calls.put('wide', { topics: '>', deliveries_max: 1, backoff_s: [] })
  const { token } = await calls.pulled('wide', { max: 1 })
  await calls.settle('wide', [{ token, do: 'term', reason: 'a test' }])
  const [{ id: wide } = {}] = await list('?subscription=wide')
  expect(wide).toBeDefined()
  expect(idsOf(await list('?kind=delivery', some))).toEqual(idsOf(await list('?subscription=mailer')))
  expect(await list('?kind=delivery', other)).toEqual([])
  const redrive = (subscription: string) => ({ filter: { subscription }, dry_run: true })
  const refusals = await Promise.all([
    ask(`/dead-letters/${wide}`, undefined, some),
    ask('/dead-letters/d-999', undefined, some),
    ask(`/dead-letters/${wide}/discard`, { reason: 'a test' }, some),
    ask('/dead-letters/redrive', redrive('wide'), some),
    ask('/dead-letters/redrive', redrive('mailer'), other),
    ask('/dead-letters/redrive', redrive('nothing'), other),
  ])
  expect(refusals.map(({ status }) => status)).toEqual(Array(6).fill(403))
})
