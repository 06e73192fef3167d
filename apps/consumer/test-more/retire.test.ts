/** Streams of quiet topics are deleted and made anew on demand; the marks by which sweeps find topics in flight. */
import { readMarks } from '@sekali/broker/marks'
import { deleteDrained } from '@sekali/broker/retire'
import type { TopicName } from '@sekali/core/event'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { retireStreams } from '../src/upkeep/retire.ts'
import { idsOf, numbered, type OwnStack, ownStack, storeAll, streamOf } from '../test/stack.ts'

const topic = 'orders' as TopicName
const log = createLog('test', 'silent')

const retire = ({ broker, store }: OwnStack, quietMs = 0) =>
  retireStreams({ broker, store, quietMs, log, at: () => {} }, [topic], new AbortController().signal)

/** What is kept keeps a stream: see keep.test.ts. */
const soon = { RETIRE_AFTER_MS: '1000', KEEP_SECONDS: '0' }

const isThere = async ({ broker }: OwnStack) => (await broker.redis.exists(streamOf(broker))) === 1

test('the stream of a drained topic is deleted, and made again by the next append: nothing is lost [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(50))
  await storeAll(stack)
  expect(await retire(stack)).toEqual([topic])
  expect(await isThere(stack)).toBe(false)
  expect(await stack.figures()).toMatchObject({ stored: 50, lost: 0, lossAt: null })
  await stack.append(numbered(20, 51))
  expect(await storeAll(stack)).toMatchObject({
    stored: 70,
    duplicates: 0,
    lost: 0,
    accounted: 20,
    lossAt: null,
  })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(70)))
})

test('a consumer retires streams that are quiet by itself, and leaves those in use', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1', soon)
  await stack.append(numbered(5))
  await stack.settled()
  await eventually(async () => {
    await stack.append(numbered(1, 1, { topic: 'busy' as TopicName }))
    expect(await isThere(stack)).toBe(false)
  })
  expect(await stack.broker.redis.exists(streamOf(stack.broker, 'busy'))).toBe(1)
  expect(await stack.figures()).toMatchObject({ stored: 5, lost: 0, lossAt: null })
})

test('a stream with entries that nobody has stored, or that is not quiet, or that others read, stays [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(5))
  const figures = await storeAll(stack)
  expect(await retire(stack, 60_000)).toEqual([])
  const group = figures?.group ?? null
  await stack.append(numbered(1, 6))
  const drained = { topic, group, accounted: figures?.accounted ?? 0 }
  expect(await deleteDrained(stack.broker, [drained], 0)).toEqual([])
  await storeAll(stack)
  await stack.broker.redis.xgroup('CREATE', streamOf(stack.broker), 'theirs', '0')
  expect(await retire(stack)).toEqual([])
  expect(await isThere(stack)).toBe(true)
})

test.each(['retiring', 'retired', 'deleted'])(
  'a consumer killed when it has come to “%s” loses nothing and says no loss [P7]',
  async (point) => {
    await using stack = await ownStack()
    await stack.append(numbered(5))
    await using victim = stack.consumer('victim', { ...soon, CONSUMER_FAILPOINT: point })
    expect(await victim.exited).toBe('SIGKILL')
    await stack.append(numbered(5, 6))
    await using _heir = stack.consumer('heir', soon)
    await eventually(async () => {
      expect(await stack.figures()).toMatchObject({ stored: 10, duplicates: 0, lost: 0, lossAt: null })
      expect(await isThere(stack)).toBe(false)
    })
  },
)

test('an entry that comes when a stream is about to be deleted keeps it [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(5))
  const env = { ...soon, CONSUMER_FAILPOINT: 'retired:1:SIGSTOP' }
  await using consumer = stack.consumer('c1', env)
  await eventually(() => expect(consumer.output()).toContain('failpoint'))
  await stack.append(numbered(5, 6))
  // It is stopped again each time that it comes there.
  await eventually(async () => {
    consumer.signal('SIGCONT')
    expect(await stack.figures()).toMatchObject({ stored: 10, duplicates: 0, lost: 0, lossAt: null })
  })
})

test('when Redis restarts, nobody vouches for what he remembers of a stream that was retired', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await stack.append(numbered(50))
  await storeAll(stack)
  expect(await retire(stack)).toEqual([topic])
  await redis.kill()
  await redis.start()
  await eventually(() => stack.append(numbered(3, 51)))
  expect(await storeAll(stack)).toMatchObject({ stored: 53, lost: 0, accounted: 3, lossAt: null })
})

test('a retired stream that a torn append-only file brings back goes on where it was [P7]', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await stack.append(numbered(50))
  await storeAll(stack)
  const bytes = await redis.fileBytes()
  expect(await retire(stack)).toEqual([topic])
  await redis.tear(bytes)
  await eventually(async () => expect(await isThere(stack)).toBe(true))
  await eventually(() => stack.append(numbered(3, 51)))
  expect(await storeAll(stack)).toMatchObject({ stored: 53, duplicates: 0, lost: 0, accounted: 53 })
})

test('a topic is marked as long as it has entries in flight, also when its consumer dies before it tidies', async () => {
  await using stack = await ownStack()
  await stack.append([...numbered(5), ...numbered(5, 1, { topic: 'other' as TopicName })])
  const { marks, topics } = await readMarks(stack.broker)
  expect([...marks.keys()].sort()).toEqual(['orders', 'other'])
  expect(topics).toBe(2)
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'committed' })
  await victim.exited
  expect((await readMarks(stack.broker)).marks.size).toBe(2)
  await using _heir = stack.consumer('heir')
  await eventually(async () => expect((await readMarks(stack.broker)).marks.size).toBe(0))
  expect(await stack.settled()).toMatchObject({ stored: 5, duplicates: 0 })
})
