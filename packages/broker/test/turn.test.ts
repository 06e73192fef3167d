import { type Account, beginning } from '@sekali/core/account'
import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownPrefix } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, test, vi } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import type { Broker } from '../src/redis/connect.ts'
import { streamKey } from '../src/redis/keys.ts'
import { accountAfter } from '../src/turn/account.ts'
import { readTurn } from '../src/turn/read.ts'

const topic = 'orders' as TopicName
const start = { topic, topicId: 1, group: null, ...beginning }

async function append(broker: Broker, ...eventIds: string[]) {
  const appender = createAppender(broker, () => {})
  for (const eventId of eventIds) await appender.append(event({ eventId }))
}

async function read(
  broker: Broker,
  account: Account & { readonly topicId: number },
  count = 100,
  consumer = 'me',
) {
  const turn = await readTurn(broker, account, consumer, count)
  if (turn === undefined) throw new Error('no stream')
  return {
    ids: turn.entries.map((entry) => entry.event?.eventId),
    reclaimed: turn.reclaimed,
    next: {
      topic: account.topic,
      topicId: 1,
      group: turn.account.group,
      ...accountAfter(account, turn),
      retired: false,
    },
    turn,
  }
}

test('turns read on from the position, and say when they are at the end [P3]', async () => {
  await using broker = await ownBroker()
  await append(broker, 'a', 'b', 'c')
  const first = await read(broker, start, 2)
  expect(first.ids).toEqual(['a', 'b'])
  expect(first.turn.atEnd).toBe(false)
  const second = await read(broker, first.next, 2)
  expect(second.ids).toEqual(['c'])
  expect(second.next).toMatchObject({ accounted: 3, lost: 0 })
})

test('a read that was not committed is read again, from the same place [P3]', async () => {
  await using broker = await ownBroker()
  await append(broker, 'a', 'b', 'c')
  await read(broker, start, 2, 'dead')
  const heir = await read(broker, start, 100, 'heir')
  expect(heir.ids).toEqual(['a', 'b', 'c'])
  expect(heir.reclaimed).toBeDefined()
})

test("a dead consumer's read that Redis runs late skips nothing [P3]", async () => {
  await using broker = await ownBroker()
  await append(broker, 'a', 'b')
  const first = await read(broker, start)
  await append(broker, 'c', 'd', 'e')
  // What was still in the socket of a consumer that is gone, executed between two turns of its successor.
  const group = first.turn.account.group
  await broker.redis.xreadgroup('GROUP', group, 'ghost', 'COUNT', 2, 'STREAMS', streamKey(broker, topic), '>')
  const next = await read(broker, first.next)
  expect(next.ids).toEqual(['c', 'd', 'e'])
  expect(next.reclaimed).toBe('skipped')
})

test('a reclaim acknowledges what the position covers and leaves the rest to be read [P3]', async () => {
  await using broker = await ownBroker()
  await append(broker, 'a', 'b')
  const committed = await read(broker, start, 100, 'dead')
  await append(broker, 'c')
  await read(broker, committed.next, 100, 'dead')
  const heir = await read(broker, committed.next, 100, 'heir')
  expect(heir.ids).toEqual(['c'])
  const [pending, lowest] = await broker.redis.xpending(streamKey(broker, topic), heir.turn.account.group)
  expect([pending, lowest]).toEqual([1, heir.turn.entries[0]?.position])
})

test('a topic without a stream has nothing to read', async () => {
  await using broker = await ownBroker()
  expect(await readTurn(broker, start, 'me', 10)).toBeUndefined()
})

test('a stream that lost its newest entries gives out no id below the position [P3]', async () => {
  await using broker = await ownBroker()
  await append(broker, 'a')
  const first = await read(broker, start)
  // As after a crash that cost Redis its newest entries and set its clock back: the position lies in its future.
  const position = `${Date.now() + 60_000}-0` as typeof beginning.position
  await read(broker, { ...first.next, position, accounted: 9 })
  await append(broker, 'b')
  const after = await read(broker, { ...first.next, position, accounted: 1 })
  expect(after.ids).toEqual(['b'])
})

test('entries that a torn append-only file has cost are counted once, whoever knew of them and whenever he comes [P7]', async () => {
  await using redis = await ownRedis()
  const prefix = ownPrefix()
  await using reader = await ownBroker(redis.url, prefix)
  await using one = await ownBroker(redis.url, prefix)
  await using other = await ownBroker(redis.url, prefix)
  const appenders = [one, other].map((broker) => createAppender(broker, () => {}))
  const appended = new Map<string, number>()
  const add = async (topic: string, count: number, from = appenders) => {
    for (let i = 0; i < count; i++) {
      const number = (appended.get(topic) ?? 0) + 1
      appended.set(topic, number)
      await from[number % from.length]?.append(event({ topic, eventId: `e${number}` }))
    }
  }
  const accounts = new Map<string, typeof start | Awaited<ReturnType<typeof read>>['next']>()
  const figures: Record<string, { read: number; lost: number }> = {}
  const look = async (topic: string, count = 1_000) => {
    const account = accounts.get(topic) ?? { ...start, topic: topic as TopicName }
    const { ids, next } = await eventually(() => read(reader, account, count))
    accounts.set(topic, next)
    const { read: before, lost } = figures[topic] ?? { read: 0, lost: 0 }
    figures[topic] = { read: before + ids.length, lost: lost + next.lost }
  }

  await add('unseen', 200)
  await look('unseen', 10)
  await add('unseen', 5)
  await add('stored', 5)
  await add('seen', 15)
  // A stream that is made anew is another one, of which whoever made it knows what came to it.
  await add('anew', 5, appenders.slice(0, 1))
  await other.redis.del(streamKey(other, 'anew'))
  await add('anew', 2, appenders.slice(0, 1))
  const kept = await redis.fileBytes()
  await add('stored', 15)
  await add('seen', 5)
  for (const topic of ['stored', 'seen']) await look(topic, 10)
  for (const topic of ['unseen', 'stored', 'seen']) await add(topic, 10)
  await add('anew', 6, appenders.slice(0, 1))

  // They would come back by themselves, and each is to come when it is its turn.
  const stayAway = ({ redis }: Broker) => vi.spyOn(redis, 'connect').mockRejectedValue(new Error('not yet'))
  const away = { one: stayAway(one), other: stayAway(other) }
  for (const broker of [one, other]) broker.redis.disconnect()
  await redis.tear(kept)
  await look('seen')
  away.one.mockRestore()
  await one.redis.connect()
  for (const topic of ['unseen', 'stored', 'seen', 'anew', 'new']) await add(topic, 3, appenders.slice(0, 1))
  for (const topic of ['unseen', 'stored']) await look(topic)
  away.other.mockRestore()
  await other.redis.connect()
  const all = { unseen: [208, 10], stored: [13, 20], seen: [18, 15], anew: [5, 6], new: [3, 0] }
  await eventually(async () => {
    for (const topic of Object.keys(all)) await look(topic)
    const found = Object.entries(figures).map(([topic, { read, lost }]) => [topic, [read, lost]])
    expect(Object.fromEntries(found)).toEqual(all)
  })

  // Again, and this time everybody comes back by himself.
  const keptThen = await redis.fileBytes()
  await add('stored', 4)
  await redis.tear(keptThen)
  await eventually(async () => {
    for (const topic of Object.keys(all)) await look(topic)
    expect(figures.stored).toEqual({ read: 13, lost: 24 })
  })
  for (const [topic, [read, lost]] of Object.entries(all)) {
    if (topic !== 'stored') expect(figures[topic]).toEqual({ read, lost })
  }
})

test('a history is one and the same on all connections, whatever becomes of replication meanwhile', async () => {
  await using redis = await ownRedis()
  const prefix = ownPrefix()
  await using before = await ownBroker(redis.url, prefix)
  await append(before, 'a')
  const first = await read(before, start)
  await before.redis.replicaof('127.0.0.1', '1')
  await before.redis.replicaof('NO', 'ONE')
  await using after = await ownBroker(redis.url, prefix)
  const appenders = [before, after].map((broker) => createAppender(broker, () => {}))
  let { next } = first
  for (let round = 1; round <= 3; round++) {
    for (const [index, broker] of [after, before].entries()) {
      for (const [at, appender] of appenders.entries()) {
        await appender.append(event({ eventId: `e${round}-${index}-${at}` }))
      }
      next = (await read(broker, next)).next
      expect(next).toMatchObject({ accounted: 1 + (2 * round - 1 + index) * 2, lost: 0 })
    }
  }
})

test('a primary that was a replica meanwhile compares nothing with what it had brought back before that', async () => {
  await using redis = await ownRedis()
  const prefix = ownPrefix()
  await using broker = await ownBroker(redis.url, prefix)
  // The second appender registers a stream that is there, and so has Redis note down that it brought back one
  // entry.
  await append(broker, 'a')
  await append(broker, 'b', 'c', 'd')
  const first = await read(broker, start)
  await broker.redis.replicaof('127.0.0.1', '1')
  await broker.redis.replicaof('NO', 'ONE')
  const back = await read(broker, { ...first.next, history: 'of the other primary' })
  expect(back.next).toMatchObject({ accounted: 4, lost: 0 })
})
