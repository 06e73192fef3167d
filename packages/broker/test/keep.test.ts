import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ownBroker } from '@sekali/testkit/own'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { readKeep, readKeptBytes } from '../src/keep/keep.ts'
import { keepBytesMax, noteKept } from '../src/keep/note.ts'
import { giveUp, trimExpired } from '../src/keep/trim.ts'
import { keepFinding } from '../src/operate/keep-finding.ts'
import type { Broker } from '../src/redis/connect.ts'
import { keepKey, keepSliceKey } from '../src/redis/keys.ts'

const orders = 'orders' as TopicName
const others = 'others' as TopicName
const limits = { keepMs: 60_000, bytesMax: 12_000 }

const note = (broker: Broker, bytes: number, topic = orders, pack = '5-0') =>
  noteKept(broker, broker.redis, [{ topic, pack: pack as Position, bytes }], limits)

const pass = (broker: Broker, ms: number) => broker.redis.hincrby(keepKey(broker), 'clock', ms)

const allStored = async (topics: readonly TopicName[]) =>
  new Map(topics.map((topic) => [topic, '9-0' as Position]))

test('a slice ends with a twelfth of the time, or of the bytes, and says how much of which topic is kept', async () => {
  await using broker = await ownBroker()
  expect(await readKeep(broker)).toMatchObject({ bytes: 0, slices: [], keepMs: 0 })
  expect(await note(broker, 400)).toBe(400)
  expect(await note(broker, 300, others)).toBe(700)
  expect((await readKeep(broker)).slices).toHaveLength(1)
  await pass(broker, 5_000)
  expect(await note(broker, 1_000)).toBe(1_700)
  expect(await note(broker, 5)).toBe(1_705)
  expect(await readKeep(broker)).toMatchObject({
    bytes: 1_705,
    slices: [{ bytes: 700 }, { bytes: 1_000 }, { bytes: 5 }],
    ...limits,
  })
  const kept = await readKeptBytes(broker, [orders, others, 'none' as TopicName])
  expect(kept).toEqual(
    new Map([
      [orders, 1_405],
      [others, 300],
    ]),
  )
})

test('who trims at once takes nothing twice, and nothing is noted in a slice that goes', async () => {
  await using broker = await ownBroker()
  for (const _ of [1, 2, 3]) {
    await note(broker, 100)
    await pass(broker, 5_000)
  }
  await Promise.all([giveUp(broker, 150, false, allStored), giveUp(broker, 150, false, allStored)])
  const left = await readKeep(broker)
  expect(left.bytes).toBe(left.slices.reduce((sum, { bytes }) => sum + bytes, 0))
  expect(left.bytes).toBeLessThanOrEqual(100)
  let noted = false
  await giveUp(broker, 1_000, false, async (topics) => {
    if (!noted) await note(broker, 7)
    noted = true
    return await allStored(topics)
  })
  expect((await readKeep(broker)).bytes).toBe(7)
  expect(await broker.redis.exists(keepSliceKey(broker, 1), keepSliceKey(broker, 2))).toBe(0)
})

test('time that is over lets go of whole slices, and is none where PostgreSQL does not answer', async () => {
  await using broker = await ownBroker()
  await note(broker, 100)
  await pass(broker, 30_000)
  await note(broker, 100)
  await pass(broker, 35_001)
  await trimExpired(broker, await readKeep(broker), limits.keepMs, async () => undefined)
  expect((await readKeep(broker)).slices).toHaveLength(2)
  await trimExpired(broker, await readKeep(broker), limits.keepMs, allStored)
  expect(await readKeep(broker)).toMatchObject({ bytes: 100, slices: [{ bytes: 100 }], shortMs: 0 })
  // Memory does not wait for PostgreSQL, where it must not.
  expect(await giveUp(broker, 1, false, async () => undefined)).toBe(0)
  expect(await giveUp(broker, 1, true, async () => undefined)).toBe(100)
})

test('the doctor compares for how long Redis keeps what is stored with what is set', async () => {
  await using broker = await ownBroker()
  const find = async () => keepFinding(await readKeep(broker))
  expect(await find()).toMatchObject({ level: 'ok' })
  await note(broker, 1_000)
  await pass(broker, 5_000)
  await note(broker, 1_000)
  expect(await find()).toMatchObject({ level: 'ok', message: expect.stringContaining('in the last 60 s') })
  await giveUp(broker, 1, false, allStored)
  await pass(broker, 3_600)
  expect(await find()).toMatchObject({
    level: 'warning',
    message: expect.stringMatching(/in the last \d\.\d s, not 60/),
    remedy: expect.stringContaining('KEEP_SECONDS'),
  })
  await pass(broker, 60_000)
  expect(await find()).toMatchObject({ level: 'ok' })
})

test('a full Redis notes and lets go all the same, and a quarter of it may be kept', async () => {
  await using redis = await ownRedis(['--maxmemory', '1'])
  await using broker = await ownBroker(redis.url)
  expect(await note(broker, 100)).toBe(100)
  expect(await giveUp(broker, 1, false, allStored)).toBe(100)
  expect(keepBytesMax(4_000)).toBe(1_000)
  expect(keepBytesMax(0)).toBe(128 * 1024 * 1024)
})
