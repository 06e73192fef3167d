import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ownBroker } from '@sekali/testkit/own'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import type { Broker } from '../src/redis/connect.ts'
import { rememberedKey, streamKey } from '../src/redis/keys.ts'
import { rememberRows } from '../src/turn/remember-rows.ts'
import { askMemories, type Remembered, readAllRemembered, remember } from '../src/turn/remembered.ts'

const topic = 'orders' as TopicName
const first: Remembered = {
  epoch: 1,
  head: 600,
  position: '17-3' as Position,
  accounted: 640,
  topicId: 7,
  group: 'sekali-1',
  headBefore: null,
  forkedAtMin: null,
}

const note = (broker: Broker, remembered: Remembered, name = topic) =>
  remember(broker, broker.redis, [{ topic: name, remembered }])

test('what is remembered comes back as it was, by topic and by number', async () => {
  await using broker = await ownBroker()
  const second = { ...first, epoch: 3, topicId: 8, group: null, headBefore: 0, forkedAtMin: 400 }
  await note(broker, first)
  await note(broker, second, 'a.b' as TopicName)
  expect(await askMemories(broker, topic, 7)).toEqual({ own: first, holder: topic })
  expect(await askMemories(broker, topic, 8)).toEqual({ own: first, holder: 'a.b' })
  expect(await askMemories(broker, 'none' as TopicName, 9)).toEqual({ own: undefined, holder: undefined })
  expect(await readAllRemembered(broker)).toEqual(
    new Map([
      [topic, first],
      ['a.b', second],
    ]),
  )
})

test.each<[string, Partial<Remembered>]>([
  ['a smaller head', { head: 599, position: '18-0' as Position }],
  ['an earlier position', { position: '17-2' as Position }],
  ['an earlier position of more digits', { position: '9-100' as Position }],
  ['an earlier epoch', { epoch: 1, head: 900 }],
])('whoever was held up and comes with %s changes nothing', async (_, late) => {
  await using broker = await ownBroker()
  const latest = { ...first, epoch: late.epoch === 1 ? 2 : 1 }
  await note(broker, latest)
  await note(broker, { ...first, ...late })
  expect((await askMemories(broker, topic, 7)).own).toEqual(latest)
})

test.each<[string, Partial<Remembered>]>([
  ['a greater head', { head: 601 }],
  ['a later position', { position: '100-0' as Position }],
  ['a later epoch, whatever its head', { epoch: 2, head: 5, position: '1-0' as Position }],
])('%s is remembered', async (_, later) => {
  await using broker = await ownBroker()
  await note(broker, first)
  await note(broker, { ...first, ...later })
  expect((await askMemories(broker, topic, 7)).own).toEqual({ ...first, ...later })
})

test('a row is remembered where nothing is, or an earlier state, with the first fork that anybody knows of', async () => {
  await using broker = await ownBroker()
  const quiet = { ...first, topic: 'quiet' as TopicName, topicId: 9 }
  const row = { ...first, topic, epoch: 9, head: 500 }
  await note(broker, { ...first, epoch: 2, forkedAtMin: 300 })
  const seed = async (rows: readonly (typeof row)[]) =>
    await rememberRows(broker, rows, await readAllRemembered(broker), async () => new Map([[7, 400]]))
  await seed([row, quiet])
  const { topic: _, ...remembered } = row
  const seeded = { ...remembered, forkedAtMin: 300 }
  expect((await askMemories(broker, topic, 7)).own).toEqual(seeded)
  expect(await askMemories(broker, quiet.topic, 9)).toEqual({
    own: { ...first, topicId: 9 },
    holder: 'quiet',
  })
  // Of an earlier state, also where whoever seeds has not seen what is remembered.
  await rememberRows(broker, [{ ...row, head: 400 }], new Map(), async () => new Map())
  expect((await askMemories(broker, topic, 7)).own).toEqual(seeded)
})

test('a stream is trimmed only where its topic is remembered', async () => {
  await using broker = await ownBroker()
  const { redis } = broker
  const key = streamKey(broker, topic)
  for (let ms = 1; ms <= 3; ms++) await redis.xadd(key, `${ms}-0`, 'e', 'x'.repeat(5_000))
  const trimBelow = '3-0' as Position
  await redis.set(rememberedKey(broker), 'no hash')
  await expect(remember(broker, redis, [{ topic, remembered: first, trimBelow }])).rejects.toThrow(
    'WRONGTYPE',
  )
  expect(await redis.xlen(key)).toBe(3)
  await redis.del(rememberedKey(broker))
  await remember(broker, redis, [
    { topic: 'other' as TopicName, remembered: first },
    { topic, remembered: first, trimBelow },
  ])
  expect(await redis.xlen(key)).toBe(1)
})

test('what somebody else has written there is nothing that is remembered', async () => {
  await using broker = await ownBroker()
  await broker.redis.hset(rememberedKey(broker), { orders: 'much', '#7': 'orders', other: '1 2 3' })
  expect((await askMemories(broker, topic, 7)).own).toBeUndefined()
  expect(await readAllRemembered(broker)).toEqual(new Map())
  await note(broker, first)
  expect((await askMemories(broker, topic, 7)).own).toEqual(first)
})

test('a full Redis remembers, too: it trims what has been acknowledged all the same', async () => {
  await using redis = await ownRedis(['--maxmemory', '1'])
  await using broker = await ownBroker(redis.url)
  await note(broker, first)
  expect((await askMemories(broker, topic, 7)).own).toEqual(first)
})
