/**
 * PostgreSQL is put back to an earlier state while Redis goes on: a backup that is restored, or a standby that lagged and is
 * promoted. If the stream has all that followed, the log is built again as it was. Otherwise another epoch begins.
 */
import { forgetName } from '@sekali/broker/names'
import { readAllRemembered, remember } from '@sekali/broker/remembered'
import { chunksOf } from '@sekali/core/chunks'
import type { TopicName } from '@sekali/core/event'
import type { Fork } from '@sekali/core/fork'
import { createLog } from '@sekali/process/log'
import { dropTopic } from '@sekali/store/drop-topic'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { readForks } from '@sekali/store/forks'
import { keepRows } from '@sekali/testkit/backup'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { retireStreams } from '../src/upkeep/retire.ts'
import { idsOf, numbered, type OwnStack, ownStack, storeAll, streamOf } from './stack.ts'

/** So large that Redis can drop each pack by itself: of what is acknowledged the stream holds next to nothing. */
const large = { payload: `{"text":"${'x'.repeat(5_000)}"}` }

/** A few at a time, which are not packed: Redis drops acknowledged packs of several events at once. */
const aFew = 4

async function store(stack: OwnStack, count: number, from: number, differs: object = {}) {
  for (const some of chunksOf(numbered(count, from, differs), aFew)) await stack.append(some)
  return await storeAll(stack)
}

async function forksOf({ store }: OwnStack, topic = 'orders') {
  const forked = [...(await readForks(store)).values()].find((one) => one.topic === topic)
  return (forked?.forks ?? []).map(({ epoch, forkedAt }: Fork) => [epoch, forkedAt])
}

const retire = ({ broker, store }: OwnStack) =>
  retireStreams(
    { broker, store, quietMs: 0, log: createLog('test', 'silent'), at: () => {} },
    ['orders' as TopicName],
    new AbortController().signal,
  )

test('a restore begins another epoch, and what is gone is counted as lost [P7]', async () => {
  await using stack = await ownStack()
  await store(stack, 50, 1, large)
  const backup = await keepRows(stack.store)
  expect(await store(stack, 10, 51, large)).toMatchObject({ headSeq: 60, epoch: 1, lost: 0 })
  await backup.restore()
  expect(await store(stack, 15, 61, large)).toMatchObject({ epoch: 2, accounted: 75 })
  const { headSeq = 0, lost = 0 } = (await stack.figures()) ?? {}
  expect(headSeq + lost).toBe(75)
  expect(headSeq).toBeLessThan(75)
  expect(await forksOf(stack)).toEqual([[2, 50]])
  expect(idsOf(await stack.log()).slice(-15)).toEqual(idsOf(numbered(15, 61)))
  // The next turns are in that epoch, and begin none.
  expect(await store(stack, 5, 76, large)).toMatchObject({ headSeq: headSeq + 5, epoch: 2 })
  expect(await forksOf(stack)).toEqual([[2, 50]])
})

test('where the stream still has all that followed, the log becomes what it was, and nobody is told', async () => {
  await using stack = await ownStack()
  await store(stack, 3, 1)
  const backup = await keepRows(stack.store)
  for (let from = 4; from <= 13; from += 3) await store(stack, 3, from)
  const before = (await stack.log()).map(({ seq, eventId }) => [seq, eventId])
  await backup.restore()
  // In several turns, each of which could begin one.
  for (let turn = 0; turn < 6; turn++) await storeAll(stack, { packsMax: 2 })
  expect((await stack.log()).map(({ seq, eventId }) => [seq, eventId])).toEqual(before)
  expect(await store(stack, 5, 16)).toMatchObject({ headSeq: 20, epoch: 1, lost: 0, duplicates: 0 })
  expect(await forksOf(stack)).toEqual([])
})

test('one entry that somebody has deleted of those that followed is enough for another epoch', async () => {
  await using stack = await ownStack()
  await store(stack, 3, 1)
  const backup = await keepRows(stack.store)
  await store(stack, 3, 4)
  await backup.restore()
  const key = streamOf(stack.broker)
  const entries = await stack.broker.redis.xrange(key, '-', '+')
  await stack.broker.redis.xdel(key, String(entries.at(-1)?.[0]))
  expect(await storeAll(stack)).toMatchObject({ headSeq: 5, epoch: 2, lost: 1 })
  expect(await forksOf(stack)).toEqual([[2, 3]])
})

test('a restore is found out where the stream was retired meanwhile, also before anything new comes', async () => {
  await using stack = await ownStack()
  await store(stack, 5, 1)
  const backup = await keepRows(stack.store)
  await store(stack, 5, 6)
  await retire(stack)
  await backup.restore()
  expect(await storeAll(stack)).toMatchObject({ headSeq: 5, epoch: 2 })
  expect(await store(stack, 2, 11)).toMatchObject({ headSeq: 7, epoch: 2, lost: 0 })
  expect(await forksOf(stack)).toEqual([[2, 5]])
})

test('a stream that was made after the backup, and has all that followed it, is no restore to tell of', async () => {
  await using stack = await ownStack()
  await store(stack, 5, 1)
  const backup = await keepRows(stack.store)
  await retire(stack)
  await store(stack, 5, 6)
  await backup.restore()
  expect(await store(stack, 2, 11)).toMatchObject({ headSeq: 12, epoch: 1, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(12)))
})

test('a topic that was made after the backup begins again in another epoch, unless its stream has everything', async () => {
  await using stack = await ownStack()
  const backup = await keepRows(stack.store)
  await store(stack, 5, 1)
  await backup.restore()
  expect(await storeAll(stack)).toMatchObject({ headSeq: 5, epoch: 1 })
  await stack.broker.redis.xtrim(streamOf(stack.broker), 'MAXLEN', 0)
  await backup.restore()
  expect(await storeAll(stack)).toMatchObject({ headSeq: 0, epoch: 2 })
  expect(await forksOf(stack)).toEqual([[2, 0]])
})

test('a number that was another topic’s before the restore comes with another epoch: cursors have it', async () => {
  await using stack = await ownStack()
  const backup = await keepRows(stack.store)
  await store(stack, 5, 1)
  await backup.restore()
  await stack.append(numbered(2, 1, { topic: 'a' as TopicName }))
  expect(await storeAll(stack, { topic: 'a' })).toMatchObject({ headSeq: 2, epoch: 2 })
  expect(await forksOf(stack, 'a')).toEqual([[2, 0]])
  await stack.append(numbered(2, 3, { topic: 'a' as TopicName }))
  expect(await storeAll(stack, { topic: 'a' })).toMatchObject({ headSeq: 4, epoch: 2 })
})

test('restores one after the other never use the number of an epoch twice, whichever backup it is', async () => {
  await using stack = await ownStack()
  await store(stack, 40, 1, large)
  const older = await keepRows(stack.store)
  await store(stack, 10, 41, large)
  const newer = await keepRows(stack.store)
  await store(stack, 10, 51, large)
  await newer.restore()
  expect(await store(stack, 1, 61, large)).toMatchObject({ epoch: 2 })
  await older.restore()
  expect(await store(stack, 1, 62, large)).toMatchObject({ epoch: 3 })
  expect(await forksOf(stack)).toEqual([[3, 40]])
  // That state has what epoch 3 has not, from 41 on.
  await newer.restore()
  expect(await store(stack, 1, 63, large)).toMatchObject({ epoch: 4 })
  expect(await forksOf(stack)).toEqual([[4, 40]])
})

test('an epoch that a consumer began before it died is not begun again', async () => {
  await using stack = await ownStack()
  await store(stack, 5, 1, large)
  const backup = await keepRows(stack.store)
  await store(stack, 6, 6, large)
  await backup.restore()
  await stack.append(numbered(3, 12, large))
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'committed' })
  expect(await victim.exited).toBe('SIGKILL')
  expect((await readAllRemembered(stack.broker)).get('orders' as TopicName)).toMatchObject({
    epoch: 1,
    head: 11,
  })
  expect(await store(stack, 3, 15, large)).toMatchObject({ epoch: 2 })
  expect(await forksOf(stack)).toEqual([[2, 5]])
})

test('when Redis has lost its data as well nobody knows; when it alone has, nothing was restored', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await store(stack, 5, 1, large)
  const bytes = await redis.fileBytes()
  const backup = await keepRows(stack.store)
  await store(stack, 5, 6, large)
  await redis.tear(bytes)
  await eventually(() => stack.append(numbered(5, 11, large)))
  expect(await storeAll(stack)).toMatchObject({ epoch: 1 })
  expect(await stack.figures()).toMatchObject({ headSeq: 15 })
  await backup.restore()
  await stack.broker.redis.flushall()
  expect(await store(stack, 5, 16, large)).toMatchObject({ headSeq: 10, epoch: 1 })
})

test('what is said of a restore is said once, after COMMIT', async () => {
  await using stack = await ownStack()
  await store(stack, 5, 1, large)
  const backup = await keepRows(stack.store)
  await store(stack, 6, 6, large)
  await backup.restore()
  const lines: unknown[] = []
  const log = createLog('test', 'silent')
  log.error = (fields: object, message?: string) => void lines.push({ ...fields, message })
  await storeAll(stack, { log })
  await store(stack, 1, 12, large)
  expect(lines).toEqual([
    {
      topic: 'orders',
      head: 5,
      epoch: 2,
      forkedAt: 5,
      forkedAtMin: 5,
      message: expect.stringContaining('put back to an earlier state'),
    },
  ])
})

test('a topic that is dropped is forgotten, and is none that was restored when it comes again', async () => {
  await using stack = await ownStack()
  await store(stack, 1, 1)
  const orders = 'orders' as TopicName
  const [had] = (await readAllRemembered(stack.broker)).values()
  if (had === undefined) throw new Error('nothing is remembered')
  const key = `${stack.broker.prefix}:remembered`
  await stack.broker.redis.del(streamOf(stack.broker), key)
  await remember(stack.broker, stack.broker.redis, [{ topic: orders, remembered: { ...had, head: 0 } }])
  expect(await forgetName(stack.broker, orders)).toBe('dropped')
  expect(await stack.broker.redis.exists(key)).toBe(0)
})

test('a topic that was put back to where it is empty cannot be dropped: made again, readers would not be told', async () => {
  await using stack = await ownStack()
  const orders = 'orders' as TopicName
  await ensureTopics(stack.store, [orders])
  const backup = await keepRows(stack.store)
  await store(stack, 5, 1)
  await retire(stack)
  await backup.restore()
  const drop = () => dropTopic(stack.store, orders, () => forgetName(stack.broker, orders), { actor: 'test' })
  // Only Redis knows of it, and then PostgreSQL does as well.
  expect(await drop()).toBe('in_use')
  expect(await storeAll(stack)).toMatchObject({ headSeq: 0, epoch: 2 })
  expect(await drop()).toBe('in_use')
  expect(await store(stack, 2, 6)).toMatchObject({ headSeq: 2, epoch: 2 })
  expect(await forksOf(stack)).toEqual([[2, 0]])
})
