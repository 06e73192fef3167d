/** What may be in flight of a topic: what is refused, what goes on, and that it opens by itself. */

import { untilConnected } from '@sekali/broker/connect'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase } from '@sekali/testkit/own'
import { upTo } from '@sekali/testkit/sample'
import { parseScrape } from '@sekali/testkit/scrape'
import { expect, inject, test } from 'vitest'
import { diagnose, eventBody, post } from '../test/gateway.ts'
import { orderOf as one, ownPressed } from '../test/own-pressed.ts'
import { type ServedGateway, serveGateway } from '../test/served-gateway.ts'

const topicsFull = async ({ metrics }: ServedGateway) =>
  parseScrape(await metrics.scrape()).get('sekali_topics_full')

test('a topic that nobody stores is refused at its bound, the others go on, and it opens by itself [P7] [P9]', async () => {
  await using system = await ownPressed([{ eventsMax: 200 }])
  const { gateway } = system
  const { fill, publish } = gateway
  const { taken, uncertain, answer } = await fill('orders')
  expect(answer).toMatchObject({ status: 429, body: { code: 'backlog_limit', topics: ['orders'] } })
  expect(answer.body.queued).toBeUndefined()
  expect(answer.retryAfter).toBeGreaterThanOrEqual(1)
  expect(answer.retryAfter).toBeLessThanOrEqual(60)
  // The first refusal comes early by what comes during a look, at the most.
  expect(taken).toBeGreaterThan(100)
  expect(await system.added('orders')).toBeGreaterThanOrEqual(taken)
  expect(await system.added('orders')).toBeLessThanOrEqual(taken + uncertain)
  // Who waits for each answer sends nothing beyond the bound.
  await system.fillTo('orders', 200)
  expect(await topicsFull(gateway)).toBe(1)
  for (const _ of upTo(20)) expect((await publish('orders')).status).toBe(429)
  expect(await system.added('orders')).toBe(200)
  expect((await publish('others')).status).toBe(200)

  const readyz = await gateway.app.request('/readyz')
  expect(readyz.status).toBe(200)
  expect(((await readyz.json()) as { warnings: string[] }).warnings).toContainEqual(
    '1 topic is full: publishing to orders is refused (429 backlog_limit)',
  )
  expect((await diagnose(gateway)).findings).toContainEqual(
    expect.objectContaining({ check: 'pressure.topics', level: 'warning' }),
  )

  system.startConsumer()
  await eventually(async () => expect((await publish('orders')).status).toBe(200), 30_000)
  expect(await topicsFull(gateway)).toBe(0)
  const stats = async () =>
    (await (await gateway.app.request('/stats?topic=orders')).json()) as {
      topics: Record<string, number>[]
    }
  await eventually(async () => {
    const accepted = await system.added('orders')
    expect(accepted).toBeGreaterThan(200)
    expect((await stats()).topics).toMatchObject([{ accepted, stored: accepted, in_flight: 0 }])
  }, 30_000)
})

test('of a batch that has events of a full topic nothing is queued, with Prefer: wait neither', async () => {
  await using system = await ownPressed([{ eventsMax: 50 }])
  const { send } = system.gateway
  await system.fillTo('orders', 50)
  const batch = `[${[one('quiet', 'a'), one('orders', 'b'), one('quiet', 'c')].join(',')}]`
  for (const headers of [{}, { Prefer: 'wait=1' }, { Prefer: 'handling=lenient' }]) {
    const answer = await send(batch, headers as Record<string, string>)
    expect(answer).toMatchObject({ status: 429, body: { code: 'backlog_limit', topics: ['orders'] } })
  }
  expect((await send(one('orders', 'd'), { Prefer: 'wait=1' })).status).toBe(429)
  await expect(system.added('quiet')).rejects.toThrow('no such key')
})

test('a stream of lines stops at the line that comes to a full topic, and says how far it is', async () => {
  await using system = await ownPressed([{ eventsMax: 600 }])
  const { send } = system.gateway
  await system.fillTo('orders', 600)
  // The lines are queued in batches of 500: the first has none of the full topic.
  const lines = [...upTo(500).map((n) => one('quiet', `q${n}`)), one('orders', 'o'), one('quiet', 'last')]
  const answer = await send(lines.join('\n'), { 'Content-Type': 'application/x-ndjson' })
  expect(answer).toMatchObject({
    status: 429,
    body: { code: 'backlog_limit', topics: ['orders'], queued: 500, lines_read: 500 },
  })
  expect(answer.retryAfter).toBeGreaterThanOrEqual(1)
  expect(await system.added('quiet')).toBe(500)
})

test('events count, and not what Redis calls entries', async () => {
  await using system = await ownPressed([{ eventsMax: 320 }])
  const { send } = system.gateway
  const batch = (number: number) =>
    `[${upTo(64)
      .map((n) => one('orders', `${number}-${n}`))
      .join(',')}]`
  let taken = 0
  let number = 0
  await eventually(async () => {
    if ((await send(batch(++number))).status === 200) taken += 64
    expect(taken).toBe(320)
  })
  for (const _ of upTo(5)) expect((await send(batch(++number))).status).toBe(429)
  expect(await system.added('orders')).toBe(320)
})

test('bytes count, also of large events behind many small ones', async () => {
  const bytesMax = 4 * 1024 * 1024
  await using system = await ownPressed([{ bytesMax }])
  const { fill, send } = system.gateway
  const small = upTo(2_000).map((n) => one('orders', `s${n}`))
  expect((await send(`[${small.join(',')}]`)).status).toBe(200)
  const { taken, answer } = await fill('orders', { text: 'x'.repeat(100_000) }, 100)
  expect(answer).toMatchObject({ status: 429, body: { code: 'backlog_limit' } })
  expect(taken * 100_000).toBeLessThanOrEqual(bytesMax)
  expect(taken * 100_000).toBeGreaterThan(bytesMax / 2)
})

test('what is stored and kept for a time does not count, in bytes neither', async () => {
  // More than two rounds of five: of the one before a gateway may not know yet that it is stored.
  const bytesMax = 1.5 * 1024 * 1024
  await using system = await ownPressed([{ bytesMax }])
  const { publish, app } = system.gateway
  const consumer = system.startConsumer()
  const payload = { text: 'x'.repeat(100_000) }
  const inFlight = async () =>
    ((await (await app.request('/stats')).json()) as { totals: { in_flight: number } }).totals.in_flight
  for (const _ of upTo(5)) {
    for (const _ of upTo(5)) expect((await publish('orders', payload)).status).toBe(200)
    await eventually(async () => expect(await inFlight()).toBe(0))
  }
  consumer.signal('SIGTERM')
  await consumer.exited
  // The stream has 2.5 MB. Of these nothing is in flight but what comes now.
  for (const _ of upTo(5)) expect((await publish('orders', payload)).status).toBe(200)
  const { taken } = await system.gateway.fill('orders', payload)
  expect(taken).toBeLessThan(10)
})

test('a gateway that starts learns of what is in flight with its first look', async () => {
  await using system = await ownPressed([{ eventsMax: 200 }])
  await system.fillTo('orders', 200)
  const next = await system.start({ eventsMax: 200 })
  await eventually(async () => expect((await next.publish('orders')).status).toBe(429))
  // What it takes before its first look is over, which begins with its first event.
  expect(await system.added('orders')).toBeLessThan(300)
})

test('several gateways pass a bound by a sixty-fourth each at the most, and by what is under way', async () => {
  const eventsMax = 640
  await using system = await ownPressed([{ eventsMax }, { eventsMax }, { eventsMax }])
  // Each has looked before the bound is near.
  for (const { publish } of system.gateways) expect((await publish('orders')).status).toBe(200)
  await Promise.all(system.gateways.map(({ fill }) => fill('orders')))
  const added = await system.added('orders')
  expect(added).toBeGreaterThanOrEqual(eventsMax)
  // A look takes some milliseconds, in which each goes on: that is what is under way.
  expect(added).toBeLessThanOrEqual(eventsMax * 1.5)
  for (const { publish } of system.gateways) expect((await publish('orders')).status).toBe(429)
})

test('with PostgreSQL away from the beginning, what came since the first look is bounded', async () => {
  await using system = await ownPressed([{ eventsMax: 100 }], { isStoreAway: true })
  const { fill } = system.gateway
  const { taken, answer } = await fill('orders')
  expect(answer).toMatchObject({ status: 429, body: { code: 'backlog_limit' } })
  expect(taken).toBeGreaterThanOrEqual(100)
  expect(taken).toBeLessThan(300)
})

test('where Redis may not say what streams weigh, the doctor says that there is no bound in bytes', async () => {
  await using admin = await ownBroker()
  const { prefix } = admin
  await admin.redis.call('ACL', 'SETUSER', prefix, 'on', 'nopass', '~*', '&*', '+@all', '-memory|usage')
  try {
    await using database = await ownDatabase()
    const redisUrl = Object.assign(new URL(inject('redisUrl')), { username: prefix, password: 'any' }).href
    await using gateway = await serveGateway({ redisUrl, databaseUrl: database.url, prefix })
    await untilConnected(gateway.broker, 15_000)
    await untilConnected(gateway.figuresBroker, 15_000)
    expect((await fetch(`${gateway.url}/publish`, post(eventBody()))).status).toBe(200)
    await eventually(async () => {
      const { findings } = await diagnose(gateway)
      expect(findings).toContainEqual(
        expect.objectContaining({
          check: 'pressure.topics',
          level: 'warning',
          message: 'Redis does not say what streams weigh: there is no bound in bytes',
        }),
      )
    })
  } finally {
    await admin.redis.call('ACL', 'DELUSER', prefix)
  }
})
