/**
 * What is stored stays in Redis for a time. A standby of PostgreSQL that lagged is promoted: here a copy of the rows is put
 * back. Within that time the log becomes what it was; beyond it, what is gone is told.
 */
import { readKeep } from '@sekali/broker/keep'
import { giveUp } from '@sekali/broker/keep-trim'
import { readPositions } from '@sekali/store/accounted'
import { connectStore, type Store } from '@sekali/store/connect'
import { readForks } from '@sekali/store/forks'
import { readTopic } from '@sekali/store/read-topic'
import { readTopics } from '@sekali/store/topics'
import { backUp, keepRows } from '@sekali/testkit/backup'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { at } from '@sekali/testkit/sample'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createKeeper } from '../src/upkeep/keep.ts'
import { entriesOf, keepMs, large, ownKept, silent } from './kept.ts'
import { idsOf, numbered, type OwnStack, storeAll, streamOf } from './stack.ts'

const forksOf = async ({ store }: OwnStack) =>
  [...(await readForks(store)).values()].flatMap(({ forks }) => forks)

const numbersOf = (log: readonly { seq: number; eventId: string }[]) =>
  log.map(({ seq, eventId }) => ({ seq, eventId }))

/** Lets go of everything. */
const letGo = ({ broker, store }: OwnStack) =>
  giveUp(broker, Number.POSITIVE_INFINITY, false, (topics) => readPositions(store, topics))

test('a standby that lagged gets the same log again from what is kept, and nobody is told [P4] [P5] [P7]', async () => {
  await using stack = await ownKept()
  await stack.storeMore(50, 1)
  const standby = await keepRows(stack.store)
  for (let from = 51; from <= 90; from += 10) await stack.storeMore(10, from)
  const before = await stack.log()
  const figures = await stack.figures()
  await standby.restore()
  expect(await stack.figures()).toMatchObject({ headSeq: 50 })
  // In several turns, each of which could find a loss, or begin an epoch.
  await eventually(async () => expect(await stack.storeAll(2)).toMatchObject({ headSeq: 90 }))
  expect(numbersOf(await stack.log())).toEqual(numbersOf(before))
  const { stored, duplicates, lost, lossAt, accounted } = figures ?? {}
  expect(await stack.figures()).toMatchObject({ stored, duplicates, lost, lossAt, accounted, epoch: 1 })
  expect(await stack.storeMore(5, 91)).toMatchObject({ headSeq: 95, epoch: 1, lost: 0, duplicates: 0 })
  expect(await forksOf(stack)).toEqual([])
})

test('a standby that lagged more than is kept costs what is counted as lost, and an epoch tells of it [P7]', async () => {
  await using stack = await ownKept()
  await stack.storeMore(50, 1)
  const standby = await keepRows(stack.store)
  for (let from = 51; from <= 90; from += 10) await stack.storeMore(10, from)
  await letGo(stack)
  const left = await entriesOf(stack)
  expect(left.length).toBeLessThan(10)
  await standby.restore()
  const figures = await stack.storeAll()
  expect(figures).toMatchObject({
    headSeq: 50 + left.length,
    lost: 40 - left.length,
    accounted: 90,
    epoch: 2,
  })
  expect(await forksOf(stack)).toMatchObject([{ epoch: 2, forkedAt: 50 }])
})

test('a stream that has lost its end is not taken for whole because it has its beginning [P7]', async () => {
  await using redis = await ownRedis()
  await using stack = await ownKept(redis.url)
  await stack.storeMore(10, 1)
  const bytes = await redis.fileBytes()
  await stack.storeMore(5, 11)
  const standby = await keepRows(stack.store)
  await stack.storeMore(5, 16)
  await redis.tear(bytes)
  await eventually(() => stack.append(numbered(5, 21, large)))
  expect(await stack.storeAll()).toMatchObject({ headSeq: 25, epoch: 1 })
  await standby.restore()
  expect(await stack.storeAll()).toMatchObject({ headSeq: 20, lost: 5, epoch: 2 })
  expect(await forksOf(stack)).toMatchObject([{ epoch: 2, forkedAt: 15 }])
})

test('two primaries by accident come to one and the same log, whoever stores what first [P4] [P5] [P7]', async () => {
  await using stack = await ownKept()
  await stack.storeMore(20, 1)
  await using copy = await backUp(stack.store.url)
  await using other = connectStore({ url: copy.url, poolMax: 4, name: 'test' }, quiet)
  const keeper = createKeeper({ broker: stack.broker, store: other, log: silent }, keepMs)
  const figures = async () => (await readTopics(other)).find(({ topic }) => topic === 'orders')
  const storeOther = () => storeAll({ ...stack, store: other as OwnStack['store'], figures }, { keeper })
  await stack.storeMore(20, 21)
  await stack.append(numbered(20, 41, large))
  await storeOther()
  await stack.append(numbered(20, 61, large))
  await storeOther()
  await stack.storeAll()
  await stack.storeMore(5, 81)
  await storeOther()
  const log = numbersOf(await stack.log())
  expect(idsOf(log)).toEqual(idsOf(numbered(85)))
  expect(numbersOf(await logOf(other))).toEqual(log)
  for (const found of [await stack.figures(), await figures()]) {
    expect(found).toMatchObject({ stored: 85, duplicates: 0, lost: 0, lossAt: null, epoch: 1 })
  }
})

const logOf = async (store: Store) =>
  (await readTopic(store, { topic: 'orders', after: at(0), limit: 1_000 })).events

test('the look lets go of what has been kept for its time, also of a topic that is idle', async () => {
  await using stack = await ownKept()
  await stack.storeMore(40, 1)
  await stack.keeper.look()
  expect(await entriesOf(stack)).toHaveLength(40)
  await stack.pass(keepMs / 2)
  await stack.storeMore(10, 41)
  await stack.pass(keepMs / 2 + 10_000)
  await stack.keeper.look()
  const left = await entriesOf(stack)
  expect(left.length).toBeGreaterThanOrEqual(10)
  expect(left.length).toBeLessThan(20)
  await stack.pass(keepMs)
  await stack.keeper.look()
  // The last pack stays, to show that nothing behind it is missing.
  expect(await stack.packs()).toBe(1)
  expect(await readKeep(stack.broker)).toMatchObject({ slices: [], bytes: 0 })
})

test('what PostgreSQL does not have any more is not let go of, and while it is away time does not count', async () => {
  await using stack = await ownKept()
  await stack.storeMore(10, 1)
  const standby = await keepRows(stack.store)
  await stack.storeMore(40, 11)
  await standby.restore()
  await stack.pass(3 * keepMs)
  await stack.keeper.look()
  expect(await entriesOf(stack)).toHaveLength(50)
  expect(await stack.storeAll()).toMatchObject({ headSeq: 50, lost: 0, epoch: 1 })

  await using away = connectStore({ url: 'postgres://nobody@127.0.0.1:1/x', poolMax: 1, name: 'x' }, quiet)
  const keeper = createKeeper({ broker: stack.broker, store: away, log: silent }, keepMs)
  const { clockMs } = await readKeep(stack.broker)
  await stack.broker.redis.hset(`${stack.broker.prefix}:keep`, 'at', 0)
  await keeper.look()
  expect((await readKeep(stack.broker)).clockMs).toBe(clockMs)
  await stack.pass(3 * keepMs)
  await keeper.look()
  expect(await entriesOf(stack)).toHaveLength(50)
  // After a silence of years the clock goes on by a moment.
  await stack.broker.redis.hset(`${stack.broker.prefix}:keep`, 'at', 0)
  await stack.keeper.look()
  expect((await readKeep(stack.broker)).clockMs - clockMs - 3 * keepMs).toBeLessThanOrEqual(keepMs / 12)
})

test('with KEEP_SECONDS=0 what others have kept goes, and nothing is kept', async () => {
  await using stack = await ownKept()
  await stack.storeMore(30, 1)
  const keeper = createKeeper({ broker: stack.broker, store: stack.store, log: silent }, 0)
  await keeper.look()
  expect(await stack.packs()).toBe(1)
  await stack.append(numbered(30, 31, large))
  await storeAll(stack, { keeper })
  expect(await stack.packs()).toBeLessThanOrEqual(1)
  expect((await readKeep(stack.broker)).slices).toEqual([])
})

test('a stream is retired when nothing of it is kept, and deleted when a standby knows that, too [P7]', async () => {
  await using stack = await ownKept()
  const isThere = async () => (await stack.broker.redis.exists(streamOf(stack.broker))) === 1
  await stack.storeMore(10, 1)
  expect(await stack.retire()).toEqual([])
  const standby = await keepRows(stack.store)
  await stack.pass(2 * keepMs)
  await stack.keeper.look()
  expect(await stack.retire()).toEqual([])
  expect(await stack.retire()).toEqual([])
  // The standby does not know that the stream is retired: it is still there.
  expect(await isThere()).toBe(true)
  await standby.restore()
  expect(await stack.storeAll()).toMatchObject({ stored: 10, lost: 0, lossAt: null })
  for (const retired of [[], ['orders']]) {
    await stack.pass(2 * keepMs)
    await stack.keeper.look()
    expect(await stack.retire()).toEqual(retired)
  }
  expect(await isThere()).toBe(false)
  expect(await stack.storeMore(5, 11)).toMatchObject({ stored: 15, lost: 0, lossAt: null })
})
