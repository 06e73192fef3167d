import type { TopicName } from '@sekali/core/event'
import { event, upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { appendRaw, idsOf, numbered, ownStack, streamOf } from './stack.ts'

test('events are stored once, numbered without a gap, in the order in which they were appended [P4] [P5] [P6]', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1')
  await stack.append([...numbered(300), ...numbered(100)])
  expect(await stack.settled()).toMatchObject({
    stored: 300,
    duplicates: 100,
    conflicts: 0,
    dead: 0,
    lost: 0,
  })
  const log = await stack.log()
  expect(log.map(({ seq }) => seq)).toEqual(upTo(300))
  expect(idsOf(log)).toEqual(idsOf(numbered(300)))
})

test('what was appended before the first consumer came is stored too [P9]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(10))
  await using _consumer = stack.consumer('c1')
  expect(await stack.settled()).toMatchObject({ stored: 10 })
})

test('the same id with another content is a conflict: counted, kept, and the log stays as it was [P4] [P7]', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1')
  const first = event({ eventId: 'a', payload: '{"v":1}' })
  const other = event({ eventId: 'a', payload: '{"v":2}' })
  // In one batch, and once more against what is stored by then; the other content comes twice each time.
  await stack.append([first, other, first, other])
  await stack.settled()
  await stack.append([other, first, other])
  expect(await stack.settled()).toMatchObject({ stored: 1, duplicates: 2, conflicts: 4, dead: 0 })
  expect((await stack.log()).map(({ payload }) => payload)).toEqual(['{"v":1}'])
  const kept = await stack.store.pool.query('SELECT seq, event_id, payload::text FROM conflicts')
  expect(kept.rows).toEqual(
    Array.from({ length: 4 }, () => ({ seq: '1', event_id: 'a', payload: '{"v":2}' })),
  )
})

test('an event of the same id on another topic is another event', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1')
  await stack.append([event({ topic: 'a', eventId: 'x' }), event({ topic: 'b', eventId: 'x' })])
  expect(await stack.settled('a')).toMatchObject({ stored: 1, duplicates: 0 })
  expect(await stack.settled('b')).toMatchObject({ stored: 1, duplicates: 0 })
})

test('what PostgreSQL refuses becomes a dead letter, and its neighbours are stored in order [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(20))
  // Past the gateway, as only a foreign writer could: a NUL, no JSON, no month of the year, and not an event at all.
  const time = '2025-01-01T00:00:00.000000Z'
  await appendRaw(stack.broker, 'nul', time, 'x', '{"a":"\0"}')
  await stack.append(numbered(20, 21))
  await appendRaw(stack.broker, 'bad-json', time, 'x', '{"')
  await appendRaw(stack.broker, 'bad-time', '2025-13-01T00:00:00.000000Z', 'x', '{}')
  await stack.broker.redis.xadd(streamOf(stack.broker), '*', 'hello', 'world')
  await stack.append(numbered(20, 41))
  await using _consumer = stack.consumer('c1')
  expect(await stack.settled()).toMatchObject({ stored: 60, duplicates: 0, conflicts: 0, dead: 4, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(60)))
  const { rows } = await stack.store.pool.query('SELECT reason, fields FROM dead_letters ORDER BY reason')
  expect(rows).toEqual([
    { reason: '22008', fields: expect.stringContaining('2025-13') },
    { reason: '22021', fields: expect.stringContaining('nul\\u0000') },
    { reason: '22P02', fields: expect.stringContaining('bad-json') },
    { reason: 'malformed_entry', fields: '["hello","world"]' },
  ])
})

test('small topics share a transaction, and what is wrong with one of them is its own trouble', async () => {
  await using stack = await ownStack()
  const { redis, prefix } = stack.broker
  const topics = ['null', ...Array.from({ length: 19 }, (_, index) => `t${index}`)] as TopicName[]
  for (const topic of topics) await stack.append(numbered(3, 1, { topic }))
  const badJson = ['bad', '2026-01-01T00:00:00.000000Z', 's', '{"'].join('\0')
  await redis.xadd(streamOf(stack.broker, 't7'), '*', 'e', badJson)
  await redis.xadd(streamOf(stack.broker, 't8'), '1795452298079000-0', 'far', 'in the future')
  await redis.set(streamOf(stack.broker, 'odd'), 'no stream')
  await redis.sadd(`${prefix}:topics`, 'odd', 'no "topic"')
  await using consumer = stack.consumer('c1')
  const stored = async (count: number) => {
    for (const topic of topics) {
      const dead = topic === 't7' || topic === 't8' ? 1 : 0
      expect(await stack.settled(topic)).toMatchObject({ stored: count, duplicates: 0, dead, lost: 0 })
    }
  }
  await stored(3)
  expect(consumer.output()).toContain('shared turn failed')
  expect(consumer.output()).toMatch(/"code":"turn_failed","message":"turn of \d+ topics failed"/)
  await redis.del(streamOf(stack.broker, 'odd'))
  await redis.publish(`${prefix}:doorbell`, 'no "topic"')
  await Promise.all(topics.map((topic) => stack.append(numbered(3, 4, { topic }))))
  await stored(6)
  // Transactions have numbers of their own.
  const { rows } = await stack.store.pool.query(
    'SELECT count(DISTINCT xmin::text)::integer AS transactions FROM events WHERE seq > 3',
  )
  expect(rows[0].transactions).toBeLessThan(topics.length / 2)
})

test('consumers that share topics store every event once and keep the order of each topic [P4] [P6]', async () => {
  await using stack = await ownStack()
  await using _c1 = stack.consumer('c1')
  await using _c2 = stack.consumer('c2')
  await using _c3 = stack.consumer('c3')
  const topics = ['a', 'b', 'c', 'd', 'e']
  for (let round = 0; round < 20; round++) {
    await stack.append(topics.flatMap((topic) => numbered(25, 1 + round * 25, { topic })))
  }
  for (const topic of topics) {
    expect(await stack.settled(topic)).toMatchObject({ stored: 500, duplicates: 0 })
    expect(idsOf(await stack.log(topic))).toEqual(idsOf(numbered(500)))
  }
})

test('a stream is trimmed below the position, and never above it [P3]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(3_000))
  expect(await stack.packs()).toBeGreaterThan(90)
  await using _consumer = stack.consumer('c1', { KEEP_SECONDS: '0' })
  await stack.settled()
  // Redis trims whole nodes, and a pack of many entries has one to itself.
  expect(await stack.packs()).toBeLessThan(3)
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(3_000)))
})
