/** What Redis remembers of topics that have no turn, and of turns that ended with COMMIT. */
import { readAllRemembered } from '@sekali/broker/remembered'
import type { TopicName } from '@sekali/core/event'
import { createLog } from '@sekali/process/log'
import { beginEpochs } from '@sekali/store/begin-epochs'
import { readForks } from '@sekali/store/forks'
import { keepRows } from '@sekali/testkit/backup'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { retireStreams } from '../src/upkeep/retire.ts'
import { numbered, type OwnStack, ownStack, storeAll, streamOf } from '../test/stack.ts'

const orders = 'orders' as TopicName
/** So large that Redis can drop each pack by itself. */
const large = { payload: `{"text":"${'x'.repeat(5_000)}"}` }
const by = { actor: 'test' }

async function store(stack: OwnStack, count: number, from: number) {
  for (const event of numbered(count, from, large)) await stack.append([event])
  return await storeAll(stack)
}

const memoryOf = async ({ broker }: OwnStack) => (await readAllRemembered(broker)).get(orders)

const forget = ({ broker }: OwnStack) => broker.redis.del(`${broker.prefix}:remembered`)

/** Has the consumer that runs store six events, and remember that. */
async function rememberSix(stack: OwnStack) {
  await stack.append(numbered(6))
  await stack.settled()
  await eventually(async () => expect(await memoryOf(stack)).toMatchObject({ epoch: 1, head: 6 }))
}

const forksOf = async ({ store }: OwnStack) =>
  [...(await readForks(store)).values()].flatMap(({ forks }) =>
    forks.map(({ epoch, forkedAt }) => [epoch, forkedAt]),
  )

const retire = ({ broker, store }: OwnStack) =>
  retireStreams(
    { broker, store, quietMs: 0, log: createLog('test', 'silent'), at: () => {} },
    [orders],
    new AbortController().signal,
  )

/** A consumer commits what was appended and dies before it says so. */
async function commitAndDie(stack: OwnStack) {
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'committed' })
  expect(await victim.exited).toBe('SIGKILL')
}

test('a restore is found out in a quiet topic that had no turn since Redis remembers anything', async () => {
  await using stack = await ownStack()
  await store(stack, 4, 1)
  const backup = await keepRows(stack.store)
  await store(stack, 2, 5)
  await forget(stack)
  {
    await using _consumer = stack.consumer('c1')
    await eventually(async () => expect(await memoryOf(stack)).toMatchObject({ epoch: 1, head: 6 }))
  }
  await backup.restore()
  expect(await store(stack, 1, 7)).toMatchObject({ epoch: 2 })
  expect(await forksOf(stack)).toEqual([[2, 4]])
})

test('a consumer has Redis remember quiet topics once Redis was emptied under it', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await using _consumer = stack.consumer('c1')
  await rememberSix(stack)
  await stack.broker.redis.flushall()
  await eventually(async () => expect(await memoryOf(stack)).toMatchObject({ epoch: 1, head: 6 }), 30_000)
})

test('a consumer has Redis remember topics without streams, too, whenever Redis has started', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  // What is kept keeps a stream.
  await using _consumer = stack.consumer('c1', { KEEP_SECONDS: '0' })
  await rememberSix(stack)
  // It may have the topic's turn just now.
  await eventually(async () => expect(await retire(stack)).toEqual([orders]))
  await forget(stack)
  await redis.kill()
  await redis.start()
  await eventually(async () => expect(await memoryOf(stack)).toMatchObject({ epoch: 1, head: 6 }), 30_000)
})

test('Redis learns of epochs that somebody began, and where the first of a log did, without a turn', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1')
  await rememberSix(stack)
  const { epoch } = await beginEpochs(stack.store, undefined, by)
  await eventually(async () => expect(await memoryOf(stack)).toMatchObject({ epoch, forkedAtMin: 6 }), 30_000)
})

test('the first turn in an epoch that Redis does not know reads where the log has forked', async () => {
  await using stack = await ownStack()
  await store(stack, 5, 1)
  await forget(stack)
  const { epoch } = await beginEpochs(stack.store, undefined, by)
  await store(stack, 1, 6)
  expect(await memoryOf(stack)).toMatchObject({ epoch, head: 6, forkedAtMin: 5 })
})

test('a turn with nothing to store has Redis remember what one before it had committed', async () => {
  await using stack = await ownStack()
  await store(stack, 4, 1)
  await stack.append(numbered(3, 5, large))
  await commitAndDie(stack)
  expect(await memoryOf(stack)).toMatchObject({ head: 4 })
  expect(await storeAll(stack)).toMatchObject({ headSeq: 7 })
  expect(await memoryOf(stack)).toMatchObject({ head: 7 })
})

test('a stream is deleted only once Redis remembers all that its topic has committed', async () => {
  await using stack = await ownStack()
  const { group } = (await store(stack, 4, 1)) ?? {}
  const backup = await keepRows(stack.store)
  await stack.append(numbered(3, 5, large))
  await commitAndDie(stack)
  const key = streamOf(stack.broker)
  for (const [id] of await stack.broker.redis.xrange(key, '-', '+')) {
    await stack.broker.redis.xack(key, String(group), id)
  }
  expect(await retire(stack)).toEqual([orders])
  await backup.restore()
  expect(await storeAll(stack)).toMatchObject({ headSeq: 4, epoch: 2 })
  expect(await forksOf(stack)).toEqual([[2, 4]])
})

test('a Redis that has just started trims nothing before it remembers it', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await stack.append(numbered(1, 1, large))
  for (const event of numbered(8, 2, large)) await stack.append([event])
  const packs = await stack.packs()
  // The consumer dies when it is told that Redis does not know the script.
  const { call } = stack.broker.redis
  stack.broker.redis.call = (command: string, ...args: unknown[]) =>
    command === 'EVAL' && args.includes(`${stack.broker.prefix}:remembered`)
      ? Promise.reject(new Error('killed'))
      : (call as (...all: unknown[]) => Promise<unknown>).call(stack.broker.redis, command, ...args)
  expect(await storeAll(stack)).toMatchObject({ headSeq: 9 })
  expect(await memoryOf(stack)).toBeUndefined()
  expect(await stack.packs()).toBe(packs)
  stack.broker.redis.call = call
  await store(stack, 1, 10)
  expect(await memoryOf(stack)).toMatchObject({ head: 10 })
  expect(await stack.packs()).toBeLessThan(packs)
})
