/** What a consumer tells Prometheus of its turns. */
import { freePort } from '@sekali/servers/free-port'
import { eventually } from '@sekali/testkit/eventually'
import { scrape } from '@sekali/testkit/scrape'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { numbered, ownStack, streamOf } from '../test/stack.ts'

/** A consumer whose metrics are known. */
async function ownConsumer(stack: Awaited<ReturnType<typeof ownStack>>, more: Record<string, string> = {}) {
  const port = String(await freePort())
  const consumer = stack.consumer('one', { METRICS_PORT: port, ...more })
  await eventually(() => scrape(port))
  return { ...consumer, scrape: () => scrape(port) }
}

test('turns are counted, with their size, and how long packs took from Redis to the commit', async () => {
  await using stack = await ownStack()
  await using consumer = await ownConsumer(stack)
  const before = await consumer.scrape()
  expect(before.get('sekali_publish_to_stored_seconds_count')).toBe(0)
  expect(before.get('sekali_reclaims_total{cause="skipped"}')).toBe(0)
  await stack.append(numbered(100))
  const packs = await stack.packs()
  await stack.settled()
  const found = await eventually(async () => {
    const now = await consumer.scrape()
    expect(now.get('sekali_turn_events_sum')).toBe(100)
    return now
  })
  expect(found.get('sekali_publish_to_stored_seconds_count')).toBe(packs)
  expect(found.get('sekali_turn_events_count')).toBe(found.get('sekali_turn_duration_seconds_count'))
  expect(found.get('sekali_turn_duration_seconds_sum')).toBeGreaterThan(0)
  expect(found.get('sekali_publish_to_stored_seconds_bucket{le="60"}')).toBe(packs)
  expect(found.get('sekali_postgres_pool_waiting')).toBe(0)
})

test('what waited in Redis before it was stored shows how long it did', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(1))
  const since = Date.now()
  await eventually(() => expect(Date.now() - since).toBeGreaterThan(1_100))
  await using consumer = await ownConsumer(stack)
  await eventually(async () => {
    const found = await consumer.scrape()
    expect(found.get('sekali_publish_to_stored_seconds_sum')).toBeGreaterThan(1)
    expect(found.get('sekali_publish_to_stored_seconds_bucket{le="1"}')).toBe(0)
  })
})

test('entries that were delivered past a consumer count as reclaimed, by the cause', async () => {
  await using stack = await ownStack()
  await using consumer = await ownConsumer(stack)
  await stack.append(numbered(3))
  await stack.settled()
  const { group } = (await stack.figures()) ?? {}
  await stack.broker.redis.xgroup('SETID', streamOf(stack.broker), String(group), '$')
  consumer.signal('SIGSTOP')
  await stack.append(numbered(3, 4))
  await stack.broker.redis.xreadgroup(
    'GROUP',
    String(group),
    'thief',
    'COUNT',
    1,
    'STREAMS',
    streamOf(stack.broker),
    '>',
  )
  consumer.signal('SIGCONT')
  await stack.settled()
  const found = await consumer.scrape()
  const causes = ['skipped', 'delivered_to_nobody', 'left_pending']
  const counts = causes.map((cause) => found.get(`sekali_reclaims_total{cause="${cause}"}`) ?? Number.NaN)
  expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThan(0)
})

test('turns that fail count by what failed', async () => {
  await using postgres = await ownPostgres()
  await using stack = await ownStack(inject('redisUrl'), postgres.url)
  await using consumer = await ownConsumer(stack)
  await stack.append(numbered(1))
  await stack.settled()
  await postgres.kill()
  await stack.append(numbered(1, 2))
  await eventually(async () => {
    const failures = (await consumer.scrape()).get('sekali_turn_failures_total{cause="store_unavailable"}')
    expect(failures).toBeGreaterThan(0)
  })
  await postgres.start()
  await stack.settled()
})
