/** The order and the ids that appended events get. */
import type { TopicName } from '@sekali/core/event'
import { comparePositions } from '@sekali/core/position'
import { ownBroker } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { readStreams } from '../src/operate/streams.ts'
import { decode } from '../src/redis/entry.ts'
import { streamKey } from '../src/redis/keys.ts'
import { far, idsOf, many } from './sample.ts'

test('appends of one topic keep their order, however many come at once [P6]', async () => {
  await using broker = await ownBroker()
  const appender = createAppender(broker, () => {})
  await Promise.all(many(1_200).map(appender.append))
  const entries = await broker.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  expect(idsOf(entries)).toEqual(many(1_200).map(({ eventId }) => eventId))
})

test('a batch of thousands over some topics keeps the order of each [P6]', async () => {
  await using broker = await ownBroker()
  const appender = createAppender(broker, () => {})
  const batch = many(5_000).map((one, index) =>
    event({ topic: index % 3 ? 'hot' : 'cold', eventId: one.eventId }),
  )
  expect(await appender.appendAll(batch)).toEqual({ queued: 5_000, failure: undefined })
  for (const topic of ['hot', 'cold']) {
    const entries = await broker.redis.xrange(streamKey(broker, topic), '-', '+')
    expect(idsOf(entries)).toEqual(batch.filter((one) => one.topic === topic).map(({ eventId }) => eventId))
  }
})

test('events that are appended together share entries, and each has an id that no other has', async () => {
  await using broker = await ownBroker()
  const [one, other] = [createAppender(broker, () => {}), createAppender(broker, () => {})]
  const all = many(2_604)
  const batches = [all.slice(0, 70), all.slice(70, 103), all.slice(103, 104), all.slice(104)]
  const told = await Promise.all(
    batches.map((batch, index) => (index % 2 ? other : one).appendWithPositions(batch)),
  )
  const entries = await broker.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  expect(entries.length).toBeLessThan(100)
  const packs = entries.map(([id, fields]) => decode('orders' as TopicName, id, fields, far))
  expect(Math.max(...packs.map(({ length }) => length))).toBe(32)
  const read = packs.flat()
  // In the order of the stream they rise, and everybody was told the ids under which his events are read.
  const positions = read.map(({ position }) => position)
  expect(positions).toEqual([...positions].sort(comparePositions))
  const idAt = new Map(read.map(({ position, event }) => [position, event?.eventId]))
  expect(idAt.size).toBe(2_604)
  for (const [index, { positions: places }] of told.entries()) {
    expect(places.map((position) => position && idAt.get(position))).toEqual(
      batches[index]?.map(({ eventId }) => eventId),
    )
  }
  // What Redis says of the stream is of events, too.
  const figures = (await readStreams(broker)).get('orders')
  expect(figures).toMatchObject({ entriesAdded: 2_604, lastId: positions.at(-1) })
})

test('a few events are entries of their own, and after an id that an operator set, far out, numbers begin anew', async () => {
  await using broker = await ownBroker()
  const { appendWithPositions } = createAppender(broker, () => {})
  const key = streamKey(broker, 'orders')
  await appendWithPositions(many(4))
  expect(await broker.redis.xlen(key)).toBe(4)
  const ms = Date.now() + 3_600_000
  await broker.redis.call('XSETID', key, `${ms}-9007199254740993`)
  const { positions, failure } = await appendWithPositions(many(40))
  expect(failure).toBeUndefined()
  expect([positions[0], positions.at(-1)]).toEqual([`${ms + 1}-1`, `${ms + 1}-40`])
  expect((await readStreams(broker)).get('orders')?.entriesAdded).toBe(44)
})

test('events too large to share an entry have ids one after the other, however long Redis takes', async () => {
  await using broker = await ownBroker()
  const payload = JSON.stringify({ filler: 'x'.repeat(200_000) })
  const batch = Array.from({ length: 60 }, (_, index) => event({ eventId: `e${index}`, payload }))
  const { positions } = await createAppender(broker, () => {}).appendWithPositions(batch)
  const entries = await broker.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  expect(entries.map(([id]) => id)).toEqual(positions)
})

test('an append waits for those of its topic that were called before it, however many calls they take [P6]', async () => {
  await using redis = await ownRedis()
  await using broker = await ownBroker(redis.url)
  const appender = createAppender(broker, () => {})
  const [batch, late] = [many(5_000), event({ eventId: 'late' })]
  await appender.append(event({ eventId: 'first' }))
  await broker.redis.script('FLUSH') // the batch's first call needs a second try
  const appending = appender.appendAll(batch)
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  await Promise.all([appending, appender.append(late)])
  const entries = await broker.redis.xrange(streamKey(broker, 'orders'), '-', '+')
  expect(idsOf(entries)).toEqual(['first', ...batch.map(({ eventId }) => eventId), 'late'])
})
