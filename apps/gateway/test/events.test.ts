/** What comes out is what went in: payloads, times, order, pages, figures. */
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventBody, post } from './gateway.ts'
import { nextOf } from './links.ts'
import { ownSystem, type System } from './system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem()
})
afterAll(() => system[Symbol.asyncDispose]())

interface Shown {
  readonly event_id: string
  readonly seq: number
}

test('a payload comes back as it was sent, character for character [P8]', async () => {
  const payloads = [
    '{"n":9007199254740993,"m":12345678901234567890}',
    '{"x":1e400,"y":-1E-400,"d":0.10,"z":-0,"o":1.0}',
    '{ "b" : 1,\n\t"a" : [ ] }',
    '{"a":1,"a":2}',
    '{"pair":"\\ud83d\\ude00","raw":"😀","text":"\\\\u0000 \\u2028 \\/"}',
    '{"quote":"it\'s \\"quoted\\" $1 :x ? {}","__proto__":{"y":1},"":""}',
    `{"a":${'['.repeat(63)}${']'.repeat(63)}}`,
    `{"big":"${'é'.repeat(100_000)}"}`,
  ]
  for (const [index, payload] of payloads.entries()) {
    const body = eventBody({ topic: 'faithful', event_id: `${index}` }).replace(
      '{"amount":10}',
      () => payload,
    )
    expect((await fetch(`${system.url}/publish`, post(body))).status).toBe(200)
  }
  await system.settled()
  const text = await (await system.get('/events?topic=faithful&after=0')).text()
  for (const payload of payloads) expect(text).toContain(`"payload":${payload},"seq":`)
})

test.each(['"\\u0000"', '"\\ud800"', '{"\\udc00":1}', `${'['.repeat(10_000)}${']'.repeat(10_000)}`])(
  'what PostgreSQL could not hold is refused (%#) [P8]',
  async (value) => {
    const body = eventBody().replace('{"amount":10}', () => `{"a":${value}}`)
    const response = await fetch(`${system.url}/publish`, post(body))
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ errors: [{ path: 'payload' }] })
  },
)

test('an event is shown with all its fields, its times in UTC to the microsecond', async () => {
  const started = new Date().toISOString()
  await system.publish({ topic: 'shown', timestamp: '2025-12-08T17:00:00.123456+07:00', source: 'a\nb "é"' })
  await system.settled()
  const [event] = (await (await system.get('/events?topic=shown')).json()) as Record<string, string>[]
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  expect(event).toEqual({
    topic: 'shown',
    event_id: 'order-1',
    timestamp: '2025-12-08T10:00:00.123456Z',
    source: 'a\nb "é"',
    payload: { amount: 10 },
    seq: 1,
    received_at: time,
    stored_at: time,
  })
  expect(Object.keys(event ?? {})).toEqual([
    'topic',
    'event_id',
    'timestamp',
    'source',
    'payload',
    'seq',
    'received_at',
    'stored_at',
  ])
  expect(String(event?.stored_at) > started).toBe(true)
})

test.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'])(
  '%s is a time like any other',
  async (timestamp) => {
    await system.publish({ topic: `bounds.${timestamp.slice(0, 4)}`, timestamp })
    await system.settled()
    const response = await system.get(`/events?topic=bounds.${timestamp.slice(0, 4)}`)
    expect(await response.json()).toMatchObject([
      { timestamp: timestamp.replace(/(?<!\d{6})Z$/, '.000000Z') },
    ])
  },
)

test.each([
  ['after=0&', [1, 2, 3, 4, 5, 6, 7]],
  ['', [7, 6, 5, 4, 3, 2, 1]],
])('following the links from ?%s shows every event once [P5]', async (start, order) => {
  const topic = `paged.${order[0]}`
  for (let i = 1; i <= 7; i++) await system.publish({ topic, event_id: `${i}` })
  await system.settled()
  const seen: number[] = []
  let path: string | undefined = `/events?${start}topic=${topic}&limit=3`
  while (path !== undefined) {
    const response: Response = await system.get(path)
    seen.push(...((await response.json()) as Shown[]).map((event) => event.seq))
    path = nextOf(path, response)
  }
  expect(seen).toEqual(order)
})

test('a page that ends exactly at the end has no next one', async () => {
  for (let i = 1; i <= 2; i++) await system.publish({ topic: 'exact', event_id: `${i}` })
  await system.settled()
  expect(nextOf('/events', await system.get('/events?topic=exact&after=0&limit=2'))).toBeUndefined()
  expect(nextOf('/events', await system.get('/events?topic=exact&after=0&limit=1'))).toBe(
    '/events?topic=exact&limit=1&after=1',
  )
  expect(await (await system.get('/events?topic=exact&after=2')).json()).toEqual([])
})

test('without a topic the newest of all are shown, with a link to those before', async () => {
  await system.publish({ topic: 'newest.a', event_id: 'a' })
  await system.settled()
  await system.publish({ topic: 'newest.b', event_id: 'b' })
  await system.settled()
  const response = await system.get('/events?limit=2')
  expect(((await response.json()) as Shown[]).map((event) => event.event_id)).toEqual(['b', 'a'])
  expect(nextOf('/events', response)).toMatch(/^\/events\?topic=%3E&limit=2&before=/)
})

test('the figures balance, of each topic and in total [P7]', async () => {
  for (const id of ['x', 'x', 'y']) await system.publish({ topic: 'balance', event_id: id })
  await system.publish({ topic: 'balance', event_id: 'x', payload: { other: true } })
  const { totals, topics, traffic_stats, database_stats } = await system.settled()
  expect(topics?.find(({ topic }) => topic === 'balance')).toEqual({
    topic: 'balance',
    accepted: 4,
    stored: 2,
    duplicates: 1,
    conflicts: 1,
    dead: 0,
    lost: 0,
    in_flight: 0,
    head_seq: 2,
    loss_at: null,
  })
  for (const name of Object.keys(totals)) {
    expect(totals[name], name).toBe(topics?.reduce((sum, topic) => sum + Number(topic[name]), 0))
  }
  expect(traffic_stats).toEqual({
    total_received_api: totals.accepted,
    duplicates_dropped_consumer: 2, // of an id that was taken: the duplicate and the conflict
  })
  expect(database_stats).toEqual({ unique_events_stored: totals.stored })
})

test('a consumer that is here is shown', async () => {
  await eventually(async () => {
    const { consumers } = await system.stats()
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)
    const here = { name: 'consumer-1', started_at: time, last_turn_at: time, turns: expect.any(Number) }
    expect(consumers).toEqual([here])
  })
})

test('with both there, the gateway is ready', async () => {
  const response = await system.get('/readyz')
  expect(await response.json()).toEqual({
    status: 'ready',
    broker: 'ok',
    store: 'ok',
    problems: [],
    warnings: [],
  })
  expect(response.status).toBe(200)
})
