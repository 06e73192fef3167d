/** The twelve scenarios of the report that the project grew from, against real processes. */
import { startGateway } from '@sekali/testkit/app'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventBody, post } from './gateway.ts'
import { ownSystem, type System } from './system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem()
})
afterAll(() => system[Symbol.asyncDispose]())

interface Shown {
  readonly topic: string
  readonly event_id: string
  readonly timestamp: string
  readonly source: string
}

const eventsOf = async (query: string) => (await (await system.get(`/events?${query}`)).json()) as Shown[]

test('ten posts of one event at the same moment store one [P4]', async () => {
  const event = { topic: 'race', event_id: 'one' }
  const responses = await Promise.all(Array.from({ length: 10 }, () => system.publish(event)))
  expect(responses.map((response) => response.status)).toEqual(Array.from({ length: 10 }, () => 200))
  const { topics } = await system.settled()
  expect(topics?.find(({ topic }) => topic === 'race')).toMatchObject({
    accepted: 10,
    stored: 1,
    duplicates: 9,
  })
  expect(await eventsOf('topic=race')).toHaveLength(1)
})

test('a hundred posts at the same moment are taken in under two seconds', async () => {
  const started = performance.now()
  const posts = Array.from({ length: 100 }, (_, i) =>
    system.publish({ topic: 'load', event_id: `load-${i}` }),
  )
  const statuses = (await Promise.all(posts)).map((response) => response.status)
  expect(performance.now() - started).toBeLessThan(2_000)
  expect(statuses).toEqual(Array.from({ length: 100 }, () => 200))
  await system.settled()
  expect(await eventsOf('topic=load&limit=1000')).toHaveLength(100)
})

test('an event sent again is stored once [P4]', async () => {
  for (let i = 0; i < 3; i++) await system.publish({ topic: 'dedup', event_id: 'again' })
  await system.settled()
  expect(await eventsOf('topic=dedup')).toHaveLength(1)
})

test('the same id in another topic is another event', async () => {
  await system.publish({ topic: 'isolated.a', event_id: 'same' })
  await system.publish({ topic: 'isolated.b', event_id: 'same' })
  await system.settled()
  expect(await eventsOf('topic=isolated.a')).toMatchObject([{ topic: 'isolated.a', event_id: 'same' }])
  expect(await eventsOf('topic=isolated.b')).toMatchObject([{ topic: 'isolated.b', event_id: 'same' }])
})

test('a limit is kept, newest first', async () => {
  for (let i = 1; i <= 5; i++) await system.publish({ topic: 'limited', event_id: `limited-${i}` })
  await system.settled()
  const shown = await eventsOf('topic=limited&limit=2')
  expect(shown.map((event) => event.event_id)).toEqual(['limited-5', 'limited-4'])
})

test('the figures have the shape of the report, and more', async () => {
  const stats = await system.stats()
  expect(stats).toMatchObject({
    performance_metrics: { uptime_seconds: expect.any(Number), throughput_rps: expect.any(Number) },
    traffic_stats: {
      total_received_api: expect.any(Number),
      duplicates_dropped_consumer: expect.any(Number),
    },
    database_stats: { unique_events_stored: expect.any(Number) },
  })
})

test('another gateway shows the same events and figures', async () => {
  await system.publish({ topic: 'lasting', event_id: 'lasting' })
  const before = await system.settled()
  await using second = await startGateway(system.env)
  const response = await fetch(`${second.url}/stats`)
  expect(await response.json()).toMatchObject({ totals: before.totals, traffic_stats: before.traffic_stats })
  expect(await (await fetch(`${second.url}/events?topic=lasting`)).json()).toMatchObject([
    { event_id: 'lasting' },
  ])
})

test('a topic that nobody knows has no events', async () => {
  const response = await system.get('/events?topic=unheard.of')
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('[]\n')
})

test('an event is queued', async () => {
  const response = await system.publish({ topic: 'valid', event_id: 'valid "1"' })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.text()).toBe('{"status":"queued","event_id":"valid \\"1\\""}\n')
})

test('an event without a field is refused', async () => {
  expect((await system.publish({ source: undefined })).status).toBe(422)
})

test('an event with a bad timestamp is refused', async () => {
  expect((await system.publish({ timestamp: 'not-a-date' })).status).toBe(422)
})

test('another method on /publish is refused', async () => {
  for (const method of ['GET', 'PUT', 'DELETE']) {
    expect((await fetch(`${system.url}/publish`, { method })).status).toBe(405)
  }
})

test('what was published can be read within a second', async () => {
  await fetch(`${system.url}/publish`, post(eventBody({ topic: 'prompt', event_id: 'prompt' })))
  const published = performance.now()
  while ((await eventsOf('topic=prompt')).length === 0)
    expect(performance.now() - published).toBeLessThan(1_000)
})
