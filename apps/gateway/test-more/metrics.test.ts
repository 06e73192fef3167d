/** What a gateway tells Prometheus of itself and of the system, on real servers. */

import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { createAppender } from '@sekali/broker/append'
import { readOldest } from '@sekali/broker/backlog'
import { untilConnected } from '@sekali/broker/connect'
import { origin } from '@sekali/core/position'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { parseScrape } from '@sekali/testkit/scrape'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { createConnections } from '../src/sockets/connections.ts'
import { eventBody, nowhere, post } from '../test/gateway.ts'
import { ownKeys } from '../test/own-keys.ts'
import { ownSubscriptions } from '../test/own-subscription.ts'
import { closing, get, holdOrDone, serve } from '../test/serve.ts'
import { serveGateway } from '../test/served-gateway.ts'
import { ownSystem } from '../test/system.ts'

async function ownGateway(options: { metricsTopicsMax?: number; redisUrl?: string } = {}) {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await ownDatabase())
  const prefix = ownPrefix()
  const parts = { redisUrl: inject('redisUrl'), databaseUrl: database.url, prefix, ...options }
  const gateway = stack.use(await serveGateway(parts))
  await untilConnected(gateway.broker, 5_000)
  return {
    ...gateway,
    prefix,
    publish: (body: string) => fetch(`${gateway.url}/publish`, post(body)),
    scrape: async () => parseScrape(await gateway.metrics.scrape()),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('the figures are those of /stats: accepted is what came of events and what is in flight', async () => {
  await using system = await ownSystem()
  await eventually(async () => expect((await system.get('/readyz')).status).toBe(200))
  const answers = [
    await system.publish({ event_id: 'e1' }),
    await system.publish({ event_id: 'e1' }),
    await system.publish({ event_id: 'e1', source: 'another' }),
    await system.publish({ event_id: 'e2', topic: 'payments' }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  await system.settled()
  const found = await system.scrape()
  const outcome = (name: string) => found.get(`sekali_events_total{outcome="${name}"}`)
  expect(['stored', 'duplicates', 'conflicts', 'dead', 'lost'].map(outcome)).toEqual([2, 1, 1, 0, 0])
  expect(found.get('sekali_events_accepted_total')).toBe(4)
  expect(found.get('sekali_published_events_total')).toBe(4)
  expect(found.get('sekali_events_in_flight')).toBe(0)
  expect(found.get('sekali_oldest_in_flight_seconds')).toBe(0)
  expect(found.get('sekali_consumers')).toBe(1)
  expect(found.get('sekali_topics')).toBe(2)
  expect(found.get('sekali_topic_head_seq{topic="payments"}')).toBe(1)
  expect(found.get('sekali_publish_duration_seconds_count{form="event"}')).toBe(4)
  expect(found.get('sekali_http_responses_total{status="200"}')).toBeGreaterThanOrEqual(4)
  expect(found.get('sekali_ready')).toBe(1)
  expect(found.get('sekali_redis_last_write_ok')).toBe(1)
})

test('with no consumer the oldest event in flight grows older, in total and by topic', async () => {
  await using gateway = await ownGateway()
  await gateway.publish(eventBody())
  await gateway.publish(eventBody({ topic: 'payments' }))
  const first = await gateway.scrape()
  expect(first.get('sekali_events_in_flight')).toBe(2)
  const before = first.get('sekali_topic_oldest_in_flight_seconds{topic="orders"}') ?? Number.NaN
  const later = await eventually(async () => {
    const found = await gateway.scrape()
    expect(found.get('sekali_topic_oldest_in_flight_seconds{topic="orders"}')).toBeGreaterThan(before + 0.5)
    return found
  })
  expect(later.get('sekali_oldest_in_flight_seconds')).toBe(
    later.get('sekali_topic_oldest_in_flight_seconds{topic="orders"}'),
  )
})

test('without Redis or PostgreSQL what they know is not there, and is not 0; all else is', async () => {
  await using gateway = await serveGateway(nowhere)
  const found = parseScrape(await gateway.metrics.scrape())
  expect(found.get('sekali_redis_reachable')).toBe(0)
  expect(found.get('sekali_postgres_reachable')).toBe(0)
  expect(found.get('sekali_ready')).toBe(0)
  expect(found.get('sekali_postgres_pool_waiting')).toBe(0)
  // What this gateway refuses, it knows.
  expect([found.get('sekali_topics_full'), found.get('sekali_redis_shedding')]).toEqual([0, 0])
  const unknown =
    /^sekali_(events|topic(?!s_full)|oldest|consumers|redis_(memory|last)|projection|subscription)/
  expect(
    [...found.keys()].filter((name) => unknown.test(name) && !name.startsWith('sekali_redis_reach')),
  ).toEqual([])
})

test('with PostgreSQL alone, what it knows is there and what is in flight is unknown', async () => {
  await using database = await ownDatabase()
  await using gateway = await serveGateway({ ...nowhere, databaseUrl: database.url })
  const found = parseScrape(await gateway.metrics.scrape())
  expect(found.get('sekali_postgres_reachable')).toBe(1)
  expect(found.get('sekali_redis_reachable')).toBe(0)
  expect(found.get('sekali_events_total{outcome="stored"}')).toBe(0)
  expect(found.has('sekali_events_in_flight')).toBe(false)
  expect(found.has('sekali_oldest_in_flight_seconds')).toBe(false)
})

test('subscriptions are there by name, as GET /subscriptions has them', async () => {
  await using own = await ownSubscriptions()
  await own.append('orders', 1, 5, { source: 'shop' })
  await own.put('mailer', { topics: 'orders', order: 'source' })
  await own.put('idle', { topics: 'payments' })
  await own.pulled('mailer')
  await own.send('POST', '/idle/pause')
  const found = parseScrape(await own.metrics.scrape())
  const figures = (name: string) =>
    [
      'lag_events',
      'outstanding_events',
      'retrying_events',
      'waiting_events',
      'dead_letters',
      'blocked',
      'paused',
    ].map((figure) => found.get(`sekali_subscription_${figure}{subscription="${name}"}`))
  const { lag, outstanding, waiting } = await own.show('mailer')
  expect(figures('mailer')).toEqual([lag, outstanding, 0, waiting, 0, 0, 0])
  expect([lag, outstanding, waiting]).toEqual([5, 1, 4])
  expect(figures('idle')).toEqual([0, 0, 0, 0, 0, 0, 1])
  const oldest = found.get('sekali_subscription_oldest_unsettled_seconds{subscription="mailer"}')
  expect(oldest).toBeGreaterThan(0)
  expect(found.get('sekali_subscription_oldest_unsettled_seconds{subscription="idle"}')).toBe(0)
})

test('a Redis that is stopped in the middle keeps no scrape waiting for long', async () => {
  await using redis = await ownRedis()
  await using gateway = await ownGateway({ redisUrl: redis.url })
  await gateway.publish(eventBody())
  redis.server.kill('SIGSTOP')
  try {
    const found = await gateway.scrape()
    expect(found.get('sekali_redis_reachable')).toBe(0)
    expect(found.has('sekali_events_in_flight')).toBe(false)
  } finally {
    redis.server.kill('SIGCONT')
  }
})

test('the share of its memory that Redis uses is there if it has a limit', async () => {
  await using redis = await ownRedis()
  await using gateway = await ownGateway({ redisUrl: redis.url })
  expect((await gateway.scrape()).has('sekali_redis_memory_ratio')).toBe(false)
  await using broker = await ownBroker(redis.url)
  await broker.redis.config('SET', 'maxmemory', '100mb')
  const ratio = (await gateway.scrape()).get('sekali_redis_memory_ratio')
  expect(ratio).toBeGreaterThan(0.001)
  expect(ratio).toBeLessThan(0.5)
})

test('whatever clients send, the series stay the same', async () => {
  await using gateway = await ownGateway({ metricsTopicsMax: 3 })
  for (const name of ['a', 'b', 'c', 'd']) await gateway.publish(eventBody({ topic: name }))
  for (const path of ['/nope', '/events/nope', '/stats?limit=x']) await fetch(`${gateway.url}${path}`)
  const before = [...(await gateway.scrape()).keys()]
  for (let n = 0; n < 30; n += 1) {
    await gateway.publish(eventBody({ topic: `new.${n}`, source: `s${n}`, event_id: `"\n\\{}${n}` }))
    await fetch(`${gateway.url}/nope/${n}?${n}=${n}`, { headers: { [`x-${n}`]: `${n}` } })
  }
  expect((await gateway.scrape()).keys().toArray().sort()).toEqual(before.sort())
})

test('each answer counts by its status, also those that no route gives', async () => {
  await using gateway = await ownGateway()
  const count = async (status: number) =>
    (await gateway.scrape()).get(`sekali_http_responses_total{status="${status}"}`)
  expect(await count(404)).toBe(0)
  await fetch(`${gateway.url}/nope`)
  await gateway.publish(eventBody())
  await gateway.publish('{')
  await gateway.publish('[]')
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  expect(await text(socket.end('nothing\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /)
  const counts = () => Promise.all([200, 400, 404, 422].map(count))
  await eventually(async () => expect(await counts()).toEqual([1, 2, 1, 1]))
})

test('refusals of keys count too, and no key is a label', async () => {
  await using own = await ownKeys()
  const { text } = await own.make({ scopes: ['publish'], eventsPerSecond: 1 })
  const statuses: number[] = []
  while (!statuses.includes(429)) {
    const together = upTo(5).map(() => own.ask('/publish', text, post(eventBody())))
    statuses.push(...(await Promise.all(together)).map(({ status }) => status))
  }
  statuses.push((await own.ask('/events')).status, (await own.ask('/stats', text)).status)
  const scraped = await own.metrics.scrape()
  const count = (status: number) =>
    parseScrape(scraped).get(`sekali_http_responses_total{status="${status}"}`)
  expect([401, 403].map(count)).toEqual([1, 1])
  for (const status of [200, 429]) {
    expect(count(status)).toBe(statuses.filter((one) => one === status).length)
  }
  expect(scraped).not.toContain(text.split('_')[1])
})

test('a client that is turned away, because there is no room, is answered too', async () => {
  const answers: number[] = []
  const connections = createConnections({ ordinaryMax: 1 })
  await using server = await serve(holdOrDone, { connections, onAnswer: (status) => answers.push(status) })
  await server.open('127.0.0.1', get('/held'))
  await server.hasBegun(1)
  expect(await server.ask('127.0.0.1', get('/', closing))).toMatch(/^HTTP\/1\.1 (429|503) /)
  await eventually(() => expect(answers).toHaveLength(1))
})

test('the oldest entry behind a position is found in any number of streams, and where there is none there is none', async () => {
  await using broker = await ownBroker()
  const { append } = createAppender(broker, () => {})
  const topics = Array.from({ length: 130 }, (_, n) => `t${n}`)
  const before = Date.now()
  await Promise.all(topics.map((topic) => append(event({ topic }))))
  const places = [...topics, 'none'].map((topic) => ({ topic, position: origin }))
  const oldest = await readOldest(broker, places)
  expect([...oldest.keys()].sort()).toEqual(topics.sort())
  for (const ms of oldest.values()) expect(Math.abs(ms - before)).toBeLessThan(60_000)
})
