/** What becomes of an append when Redis stalls, is full, has forgotten something or hangs up. */
import { BrokerUnavailable } from '@sekali/core/errors'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { readStreams } from '../src/operate/streams.ts'
import { streamKey, topicsKey } from '../src/redis/keys.ts'
import { idsOf } from './sample.ts'

test('a stream made anew is found: FLUSHALL takes the registry of topics with it', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  for (const eventId of ['a', 'b']) await appender.append(event({ eventId }))
  await broker.redis.flushall()
  await appender.append(event({ eventId: 'c' }))
  expect([...(await readStreams(broker)).keys()]).toEqual(['orders'])
})

test('a Redis that forgot the script is given it again', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  await appender.append(event({ eventId: 'a' }))
  await broker.redis.script('FLUSH')
  await Promise.all([appender.append(event({ eventId: 'b' })), appender.append(event({ topic: 'x' }))])
  expect(await broker.redis.xlen(streamKey(broker, 'orders'))).toBe(2)
})

test('with Redis stalled an append is refused within its deadline, and is not sent behind our back later [P1]', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  await appender.append(event({ eventId: 'before' }))
  redis.server.kill('SIGSTOP')
  const startedAt = performance.now()
  // The first is on the wire when Redis stalls: it may or may not happen. The others find no connection.
  await expect(appender.append(event({ eventId: 'unknown' }))).rejects.toThrow(BrokerUnavailable)
  for (const eventId of ['late1', 'late2']) {
    await expect(appender.append(event({ eventId }))).rejects.toThrow(BrokerUnavailable)
  }
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  redis.server.kill('SIGCONT')
  await eventually(() => appender.append(event({ eventId: 'after' })))
  const entries = await broker.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  const ids = idsOf(entries)
  expect(ids.filter((id) => id !== 'unknown')).toEqual(['before', 'after'])
})

test('an append whose connection is cut before Redis has run it is refused, and not sent again [P1]', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  await using other = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  await appender.append(event({ eventId: 'before' }))
  const id = await broker.redis.client('ID')
  await other.redis.call('CLIENT', 'PAUSE', '500', 'WRITE')
  const cut = expect(appender.append(event({ eventId: 'cut' }))).rejects.toThrow(BrokerUnavailable)
  // Redis holds it back, unread or blocked, and forgets it with its connection.
  await eventually(async () => expect(await other.redis.client('LIST')).toMatch(/cmd=(evalsha|eval)/))
  await other.redis.client('KILL', 'ID', id)
  await cut
  await eventually(() => appender.append(event({ eventId: 'after' })))
  const entries = await other.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  expect(idsOf(entries)).toEqual(['before', 'after'])
})

test('a full Redis refuses whole appends, keeps what it has and takes events again when there is room [P1] [P9]', async () => {
  await using redis = await ownRedis(['--maxmemory', '4mb'])
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  const payload = JSON.stringify({ filler: 'x'.repeat(100_000) })
  let accepted = 0
  const flood = async () => {
    for (; accepted < 200; accepted++) await appender.append(event({ eventId: `e${accepted}`, payload }))
  }
  await expect(flood()).rejects.toMatchObject({ code: 'broker_unavailable', retryable: true })
  expect(await broker.redis.xlen(streamKey(broker, 'orders'))).toBe(accepted)
  await broker.redis.config('SET', 'maxmemory', '64mb')
  await appender.append(event({ eventId: 'again' }))
})

test('at the memory limit a new stream comes with its name in the list of topics, or the event is refused and nowhere', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  const limit = (bytes: number) => broker.redis.config('SET', 'maxmemory', String(bytes))
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await broker.redis.info('memory'))?.[1])

  /** Appends the first event of a stream that was just lost, with its topic's name, to a Redis with such a limit. */
  async function appendAt(bytes: (used: number) => number) {
    await limit(0)
    await appender.append(event({ eventId: 'before' }))
    await broker.redis.flushall()
    await limit(bytes(await used()))
    const outcome = await appender.append(event({ eventId: 'after' })).then(
      () => 'accepted',
      () => 'refused',
    )
    await limit(0)
    const entries = await broker.redis.xlen(streamKey(broker, 'orders'))
    const isListed = (await broker.redis.sismember(topicsKey(broker), 'orders')) === 1
    expect({ outcome, entries, isListed }).toEqual(
      outcome === 'accepted'
        ? { outcome, entries: 1, isListed: true }
        : { outcome, entries: 0, isListed: false },
    )
    return outcome
  }

  // A stream takes some 5 kB. What Redis uses by itself goes up and down by less than these steps, so some of the limits
  // are ones that the append begins below and ends above.
  const outcomes = new Set<string>()
  for (let over = -16_384; over <= 32_768; over += 1_024) outcomes.add(await appendAt((used) => used + over))
  expect([...outcomes].sort()).toEqual(['accepted', 'refused'])
})

test('a batch that Redis refuses in the middle says how many it has, and they are the first of each topic [P6]', async () => {
  // Less than the batch, and more than one call of it takes on its way and in the stream: 9 MB in Redis 8.0, 5 in 7.0.
  await using redis = await ownRedis(['--maxmemory', '16mb'])
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  const payload = JSON.stringify({ filler: 'x'.repeat(4_000) })
  const batch = Array.from({ length: 5_000 }, (_, index) => event({ eventId: `e${index}`, payload }))
  const { queued, failure } = await appender.appendAll(batch)
  expect(failure).toMatchObject({ code: 'broker_unavailable' })
  expect(queued).toBeGreaterThan(0)
  const entries = await broker.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  expect(idsOf(entries)).toEqual(batch.slice(0, queued).map(({ eventId }) => eventId))
})
