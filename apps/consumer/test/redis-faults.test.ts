import { removeGoneConsumers } from '@sekali/broker/janitor'
import { readConsumers } from '@sekali/broker/presence'
import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { appendRaw, idsOf, numbered, type OwnStack, ownStack, streamOf } from './stack.ts'

async function groupOf({ broker }: OwnStack): Promise<string> {
  const [group] = (await broker.redis.xinfo('GROUPS', streamOf(broker))) as unknown[][]
  return String(group?.[1])
}

test('a destroyed consumer group is made again at the position: nothing is lost or read twice [P3] [P9]', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1')
  await stack.append(numbered(50))
  await stack.settled()
  await stack.broker.redis.xgroup('DESTROY', streamOf(stack.broker), await groupOf(stack))
  await stack.append(numbered(50, 51))
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
})

test('a group that an operator moved forward or back is put right [P3] [P9]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(50))
  await stack.broker.redis.xgroup('SETID', streamOf(stack.broker), await groupOf(stack), '$')
  await using _consumer = stack.consumer('c1')
  expect(await stack.settled()).toMatchObject({ stored: 50, duplicates: 0 })
  await stack.broker.redis.xgroup('SETID', streamOf(stack.broker), await groupOf(stack), '0')
  await stack.append(numbered(50, 51))
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
})

test('XGROUP DELCONSUMER of a consumer that died with entries loses none of them [P3] [P9]', async () => {
  await using stack = await ownStack()
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'read' })
  await stack.append(numbered(50))
  await victim.exited
  const dropped = await stack.broker.redis.xgroup(
    'DELCONSUMER',
    streamOf(stack.broker),
    await groupOf(stack),
    'victim',
  )
  expect(dropped).toBe(await stack.packs())
  await using _heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 50, duplicates: 0, lost: 0 })
})

test('after FLUSHALL a topic goes on with new entries, seqs continue, and figures stay exact [P5] [P7] [P9]', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await using _consumer = stack.consumer('c1')
  await stack.append(numbered(50))
  await stack.settled()
  await stack.broker.redis.flushall()
  // Some of them again: the store remembers what Redis has forgotten.
  await stack.append(numbered(60, 41))
  expect(await stack.settled()).toMatchObject({
    stored: 100,
    duplicates: 10,
    conflicts: 0,
    lost: 0,
    accounted: 60,
  })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
})

test('a stream made anew with more entries than were accounted for is not taken for the old one [P7]', async () => {
  await using stack = await ownStack()
  await using first = stack.consumer('first')
  await stack.append(numbered(10))
  await stack.settled()
  first.signal('SIGTERM')
  await first.exited
  await stack.broker.redis.del(streamOf(stack.broker))
  await stack.append(numbered(40, 11))
  await using _second = stack.consumer('second')
  expect(await stack.settled()).toMatchObject({ stored: 50, duplicates: 0, lost: 0, accounted: 40 })
})

test('entries that an operator deletes before they are stored are counted as lost [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(40)) // two packs, of 32 and 8
  const [, [id] = ['']] = await stack.broker.redis.xrange(streamOf(stack.broker), '-', '+')
  await stack.broker.redis.xdel(streamOf(stack.broker), String(id))
  await using _consumer = stack.consumer('c1')
  expect(await stack.settled()).toMatchObject({ stored: 32, lost: 8 })
})

test('a pack that somebody copies is duplicates at the worst, and its topic goes on [P4]', async () => {
  await using stack = await ownStack()
  const { redis } = stack.broker
  await stack.append(numbered(20))
  const [[, fields] = ['', []]] = await redis.xrange(streamOf(stack.broker), '-', '+')
  const copy = Number.parseInt(String(await redis.xadd(streamOf(stack.broker), '*', ...fields)), 10)
  // Before the next millisecond its ids would be others', and it a dead letter.
  await eventually(() => expect(Date.now()).toBeGreaterThan(copy + 1))
  await stack.append(numbered(1, 21))
  // A turn takes one pack. That of the last one has entries to store, though nothing is left that Redis has
  // counted.
  await using _consumer = stack.consumer('c1', { TURN_EVENTS_MAX: '1' })
  await eventually(async () => expect(await stack.figures()).toMatchObject({ stored: 21, duplicates: 20 }))
  await stack.append(numbered(19, 22))
  for (let from = 41; from <= 101; from += 20) await stack.append(numbered(20, from))
  expect(await stack.settled()).toMatchObject({ stored: 120, duplicates: 20, dead: 0, lost: 0 })
})

test('a topic whose turns fail holds up no other, and is stored once its trouble is over [P9]', async () => {
  await using stack = await ownStack()
  const { redis, prefix } = stack.broker
  await redis.set(streamOf(stack.broker, 'poison'), 'not a stream')
  await redis.sadd(`${prefix}:topics`, 'poison')
  await using _consumer = stack.consumer('c1')
  for (let from = 1; from <= 100; from += 10) {
    await redis.publish(`${prefix}:doorbell`, 'poison')
    await stack.append(numbered(10, from))
  }
  expect(await stack.settled()).toMatchObject({ stored: 100 })
  await redis.del(streamOf(stack.broker, 'poison'))
  await stack.append(numbered(5, 1, { topic: 'poison' as TopicName }))
  expect(await stack.settled('poison')).toMatchObject({ stored: 5 })
})

/** A consumer that accounts for one pack, of 32, sees how many there are, and dies. */
async function onePackAccountedFor(stack: OwnStack): Promise<void> {
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'committed', TURN_EVENTS_MAX: '1' })
  await victim.exited
}

test('what was seen in a stream that is gone is counted as lost, and reported as a minimum [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(50))
  await onePackAccountedFor(stack)
  await stack.append(numbered(5, 51)) // nobody looks
  await stack.broker.redis.del(streamOf(stack.broker))
  await stack.append(numbered(20, 61))
  await using heir = stack.consumer('heir')
  const figures = await stack.settled()
  expect(figures).toMatchObject({ stored: 52, lost: 18, lossAt: expect.any(String) })
  expect(idsOf(await stack.log())).toEqual(idsOf([...numbered(32), ...numbered(20, 61)]))
  expect(heir.output()).toContain('redis has lost the old stream, with at least 18 entries not stored yet')
})

test('a stream that goes and does not come back is noticed, too [P7]', async () => {
  await using stack = await ownStack()
  await stack.append(numbered(50))
  await using consumer = stack.consumer('c1')
  await stack.settled()
  expect(await stack.figures()).toMatchObject({ stored: 50, lost: 0, lossAt: null })
  await stack.broker.redis.del(streamOf(stack.broker))
  await eventually(async () => expect((await stack.figures())?.lossAt).not.toBe(null))
  const { lossAt } = (await stack.figures()) ?? {}
  // It is said once, whoever looks at the topic later.
  const { redis, prefix } = stack.broker
  const turnsOf = async () => (await readConsumers(stack.broker))[0]?.turns ?? 0
  const turns = await turnsOf()
  await eventually(async () => {
    await redis.publish(`${prefix}:doorbell`, 'orders')
    expect(await turnsOf()).toBeGreaterThan(turns + 2)
  })
  expect(await stack.figures()).toMatchObject({ stored: 50, lost: 0, lossAt })
  expect(consumer.output().match(/redis has lost the stream/g)).toHaveLength(1)
})

test('a doorbell that nobody hears costs a sweep: events are stored all the same [P9]', async () => {
  await using stack = await ownStack()
  await using _consumer = stack.consumer('c1')
  await stack.append(numbered(1))
  await stack.settled()
  await appendRaw(stack.broker, 'silent', '2025-01-01T00:00:00.000000Z', 'x', '{}')
  expect(await stack.settled()).toMatchObject({ stored: 2 })
})

test('consumers go on by themselves when Redis was killed and comes back [P1] [P9]', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await using consumer = stack.consumer('c1')
  await stack.append(numbered(50))
  await stack.settled()
  await redis.kill()
  await redis.start()
  await eventually(() => stack.append(numbered(50, 51)))
  expect(await stack.settled()).toMatchObject({ stored: 100, conflicts: 0, dead: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
  expect(consumer.child.exitCode).toBe(null)
})

test('the names of consumers that are gone leave the group, those with entries pending only after a reclaim', async () => {
  await using stack = await ownStack()
  const topics = ['orders' as TopicName]
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'read' })
  await stack.append(numbered(5))
  await victim.exited
  await stack.broker.redis.del(`${stack.broker.prefix}:consumer:victim`)
  expect(await removeGoneConsumers(stack.broker, topics, 0)).toBe(0)
  await using heir = stack.consumer('heir')
  await stack.settled()
  expect(await removeGoneConsumers(stack.broker, topics, 0)).toBe(1)
  const consumers = await stack.broker.redis.xinfo('CONSUMERS', streamOf(stack.broker), await groupOf(stack))
  expect((consumers as unknown[][]).map((fields) => fields[1])).toEqual(['heir'])
  expect(heir.child.exitCode).toBe(null)
})
