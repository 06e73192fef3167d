import { setTimeout as pause } from 'node:timers/promises'
import { createAppender } from '@sekali/broker/append'
import { createDoorbell } from '@sekali/broker/doorbell'
import { announceHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { parsePattern } from '@sekali/core/pattern'
import { createLog } from '@sekali/process/log'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { createHeads, type HeadsTimes } from '../src/heads/heads.ts'

const orders = 'orders' as TopicName
const log = createLog('gateway', 'silent')

/** A consumer as a process, a way to append, and the heads of what it stores. */
async function ownHeads(
  times: HeadsTimes = {},
  redisUrl = inject('redisUrl'),
  pgUrl = inject('postgresUrl'),
) {
  const stack = new AsyncDisposableStack()
  const store = stack.use(await ownStore(pgUrl))
  const broker = stack.use(await ownBroker(redisUrl))
  stack.use(
    startApp('consumer/src/main.ts', {
      REDIS_URL: redisUrl,
      DATABASE_URL: store.url,
      REDIS_PREFIX: broker.prefix,
    }),
  )
  const heads = stack.use(createHeads({ broker, store, log }, times))
  const appender = createAppender(broker, createDoorbell(broker))
  return {
    store,
    broker,
    heads,
    append: (topic: string, eventId: string) => appender.append(event({ topic, eventId })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const never = new AbortController().signal
const atLeast = (seq: number) => (head: Head) => head.head >= seq

test('announcements alone tell watchers what is stored, and of a turn that stores nothing', async () => {
  // It looks once, at the beginning.
  await using own = await ownHeads({ pollMs: 1_000_000 })
  const seen: Head[] = []
  using _watch = own.heads.watch(orders, (head) => seen.push(head))
  await own.append('orders', 'subscribed?')
  await eventually(async () => {
    await own.append('orders', 'subscribed?')
    expect(seen.at(-1)).toMatchObject({ topic: 'orders', head: 1 })
  })
  await own.append('orders', 'b')
  expect(await own.heads.waitFor(orders, atLeast(2), never)).toMatchObject({ head: 2 })
  const told = seen.length
  await own.append('orders', 'b')
  await eventually(() => expect(seen.length).toBeGreaterThan(told))
  expect(seen.at(-1)?.head).toBe(2)

  // Who is told, or leaves, before the look that was asked for leaves nothing to do: the process must not spin.
  await using others = createHeads({ broker: own.broker, store: own.store, log })
  await others.waitFor(orders, atLeast(1), never)
  others.watch(orders, () => {})[Symbol.dispose]()
  const startedAt = performance.now()
  await pause(50)
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('without announcements it looks by itself, also for topics that are new', async () => {
  await using own = await ownHeads({ pollMs: 20 })
  await using deaf = await ownBroker()
  await using heads = createHeads({ broker: deaf, store: own.store, log }, { pollMs: 20 })
  const seen = new Map<string, number>()
  using _watch = heads.watch(parsePattern('a.>'), ({ topic, head }) => seen.set(topic, head))
  const waiting = heads.waitFor(orders, atLeast(1), never)
  for (const topic of ['a.x', 'b.x', 'a.y', 'orders']) await own.append(topic, 'e')
  expect(await waiting).toMatchObject({ topic: 'orders', head: 1 })
  await eventually(() =>
    expect([...seen].sort()).toEqual([
      ['a.x', 1],
      ['a.y', 1],
    ]),
  )
  // Who comes later is told of what is known.
  const late = new Set<string>()
  using _late = heads.watch(parsePattern('a.>'), ({ topic }) => late.add(topic))
  await eventually(() => expect(late).toEqual(new Set(['a.x', 'a.y'])))
  expect(await heads.waitFor(orders, atLeast(1), never)).toMatchObject({ head: 1 })
  // What a topic was when the last one left it is not what it is.
  await own.append('orders', 'e2')
  await own.heads.waitFor(orders, atLeast(2), never)
  await own.append('a.x', 'e2')
  await eventually(() => expect(seen.get('a.x')).toBe(2))
  expect(await heads.waitFor(orders, () => true, never)).toMatchObject({ head: 2 })
})

test('who gives up waiting gets nothing, and when nobody waits nobody is asked', async () => {
  await using own = await ownHeads({ pollMs: 10, lingerMs: 50 })
  const { redis, prefix } = own.broker
  const listeners = async () => ((await redis.pubsub('NUMSUB', `${prefix}:heads`)) as unknown[])[1]
  let asked = 0
  own.store.pool.on('acquire', () => asked++)
  await eventually(() => expect(asked).toBe(0))
  const patience = new AbortController()
  const waiting = own.heads.waitFor(orders, () => false, patience.signal)
  await eventually(async () => {
    expect(asked).toBeGreaterThan(3)
    expect(await listeners()).toBe(1)
  })
  patience.abort()
  expect(await waiting).toBeUndefined()
  expect(await own.heads.waitFor(orders, () => true, patience.signal)).toBeUndefined()
  await eventually(async () => expect(await listeners()).toBe(0))
  asked = 0
  for (let i = 0; i < 50; i++) await redis.ping()
  expect(asked).toBe(0)
})

test('it goes on by itself after Redis and PostgreSQL were gone', async () => {
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using own = await ownHeads({}, redis.url, postgres.url)
  await own.append('orders', 'e1')
  await own.heads.waitFor(orders, atLeast(1), never)

  const second = own.heads.waitFor(orders, atLeast(2), never)
  await redis.kill()
  await postgres.kill()
  await redis.start()
  await eventually(() => own.append('orders', 'e2'))
  await postgres.start()
  expect(await second).toMatchObject({ head: 2 })
  await eventually(async () => {
    const head = { topicId: 1, topic: orders, head: 0, epoch: 1, position: '0-0' as Head['position'] }
    expect(await announceHeads(own.broker, own.broker.redis, [head])).toBe(1) // somebody listens
  })
})
