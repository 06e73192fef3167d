/** Servers that fall silent or die, and come back. These tests break theirs, and so have their own. */
import { startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { eventBody, post } from '../../test/gateway.ts'
import { ownSystem, type System } from '../../test/system.ts'

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const started = performance.now()
  const result = await work
  return { result, ms: performance.now() - started }
}

const isPublished = (system: System, id: string) =>
  eventually(async () => {
    const { status } = await system.publish({ event_id: id })
    if (status !== 200) throw new Error(`publish answered ${status}`)
  })

test('while Redis is dead, events are refused in under two seconds; then it goes on by itself [P1] [P9]', async () => {
  await using redis = await ownRedis()
  await using system = await ownSystem(redis.url)
  await isPublished(system, 'before')
  await system.settled()

  await redis.kill()
  for (let round = 0; round < 3; round++) {
    const { result, ms } = await timed(system.publish({ event_id: 'refused' }))
    expect(result.status).toBe(503)
    expect(result.headers.get('retry-after')).toMatch(/^[123]$/)
    expect(ms).toBeLessThan(2_000)
  }
  expect((await system.get('/healthz')).status).toBe(200)
  expect((await system.get('/readyz')).status).toBe(503)
  expect((await system.get('/events')).status).toBe(200)
  const dark = await system.stats()
  expect(dark.totals).toMatchObject({ accepted: null, stored: 1, in_flight: null })
  expect(dark.consumers).toBeNull()

  await redis.start()
  await isPublished(system, 'after')
  expect((await system.settled()).totals).toMatchObject({
    stored: 2,
    duplicates: expect.any(Number),
    lost: 0,
  })
})

test('while Redis is silent, events are refused in under two seconds; then it goes on by itself [P1] [P9]', async () => {
  await using redis = await ownRedis()
  await using system = await ownSystem(redis.url)
  await isPublished(system, 'before')

  redis.server.kill('SIGSTOP')
  for (let round = 0; round < 3; round++) {
    const { result, ms } = await timed(system.publish({ event_id: 'refused' }))
    expect(result.status).toBe(503)
    expect(ms).toBeLessThan(2_000)
  }
  const { result, ms } = await timed(system.stats())
  expect(result.totals).toMatchObject({ in_flight: null })
  expect(ms).toBeLessThan(3_000)

  redis.server.kill('SIGCONT')
  await isPublished(system, 'after')
  expect((await system.settled()).totals).toMatchObject({ conflicts: 0, dead: 0, lost: 0 })
})

test('what Redis acknowledged and lost before any consumer saw it is counted, to the entry, and reported [P7]', async () => {
  // Full from its next start on: then it takes no names of topics, but says what it has lost, and drains.
  await using redis = await ownRedis(['--maxmemory', '1mb'])
  await using broker = await ownBroker(redis.url)
  await broker.redis.config('SET', 'maxmemory', '0')
  await using system = await ownSystem(redis.url)
  await isPublished(system, 'before')
  await system.settled()

  system.consumer.signal('SIGSTOP')
  await isPublished(system, 'kept')
  const kept = await redis.fileBytes()
  for (let i = 0; i < 5; i++) expect((await system.publish({ event_id: `gone-${i}` })).status).toBe(200)
  await redis.tear(kept)
  // Nobody publishes any more: it is said all the same.
  await eventually(() => expect(system.gateway.output()).toContain('redis has lost entries'))
  system.consumer.signal('SIGCONT')

  const { totals, topics } = await system.settled()
  expect(totals).toMatchObject({ accepted: 7, stored: 2, lost: 5, duplicates: 0 })
  expect(topics).toMatchObject([{ topic: 'orders', lost: 5, loss_at: expect.any(String) }])
})

test('while PostgreSQL is dead, publishing goes on and reading does not; then everything is stored [P9]', async () => {
  await using postgres = await ownPostgres()
  await using system = await ownSystem(inject('redisUrl'), postgres.url)
  await isPublished(system, 'before')
  await system.settled()

  await postgres.kill()
  for (let i = 0; i < 20; i++) expect((await system.publish({ event_id: `during-${i}` })).status).toBe(200)
  const { result, ms } = await timed(system.get('/events'))
  expect(result.status).toBe(503)
  expect(await result.json()).toMatchObject({ code: 'store_unavailable' })
  expect(ms).toBeLessThan(2_000)
  const ready = await system.get('/readyz')
  expect(ready.status).toBe(200)
  expect(await ready.json()).toMatchObject({ status: 'ready', broker: 'ok', store: 'unavailable' })
  const dark = await system.stats()
  expect(dark.totals).toMatchObject({ accepted: null, stored: null, duplicates: null, in_flight: null })
  expect(dark.topics).toMatchObject([{ topic: 'orders', stored: null }])

  await postgres.start()
  expect((await system.settled()).totals).toMatchObject({ accepted: 21, stored: 21, duplicates: 0, dead: 0 })
})

test('a gateway that is told to leave answers first, and ends with 0', async () => {
  await using system = await ownSystem()
  await using gateway = await startGateway(system.env)
  const posts = Array.from({ length: 50 }, (_, i) =>
    fetch(`${gateway.url}/publish`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        topic: 'leaving',
        event_id: `${i}`,
        timestamp: '2025-12-08T10:00:00Z',
        source: 'shop',
        payload: {},
      }),
    }).then(({ status }) => status),
  )
  await Promise.race(posts)
  gateway.signal('SIGTERM')
  const { result, ms } = await timed(gateway.exited)
  expect(result).toBe(0)
  expect(ms).toBeLessThan(5_000)
  const answers = await Promise.allSettled(posts)
  const accepted = answers.filter((answer) => answer.status === 'fulfilled' && answer.value === 200).length
  expect(answers.some((answer) => answer.status === 'fulfilled' && answer.value !== 200)).toBe(false)
  // Whoever got a 200 is stored; whoever got no answer may be.
  expect((await system.settled()).totals.stored).toBeGreaterThanOrEqual(accepted)
})

test('a gateway whose Redis is slow to answer opens its door when it can take events', async () => {
  await using redis = await ownRedis()
  redis.server.kill('SIGSTOP')
  const starting = startGateway({
    REDIS_URL: redis.url,
    DATABASE_URL: inject('postgresUrl'),
    LOG_LEVEL: 'silent',
  })
  setTimeout(() => redis.server.kill('SIGCONT'), 1_500)
  await using gateway = await starting
  expect((await fetch(`${gateway.url}/publish`, post(eventBody()))).status).toBe(200)
})
