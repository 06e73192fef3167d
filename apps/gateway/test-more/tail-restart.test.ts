/** Tails that break and come again, on gateways that come and go; and writers that commit when they like. */
import { createAppender } from '@sekali/broker/append'
import { createDoorbell } from '@sekali/broker/doorbell'
import { announceHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'
import { withTransaction } from '@sekali/store/connect'
import { ensureTopics } from '@sekali/store/ensure-topics'
import { type Gateway, startApp, startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { openTail, type Told } from '../test/sse.ts'

async function ownLog(redisUrl = inject('redisUrl'), postgresUrl = inject('postgresUrl')) {
  const stack = new AsyncDisposableStack()
  const store = stack.use(await ownStore(postgresUrl))
  const broker = stack.use(await ownBroker(redisUrl))
  const env = {
    REDIS_URL: redisUrl,
    DATABASE_URL: store.url,
    REDIS_PREFIX: broker.prefix,
    LOG_LEVEL: 'warn',
  }
  const appender = createAppender(broker, createDoorbell(broker))
  let appended = 0
  return {
    store,
    broker,
    env,
    consumer: () => stack.use(startApp('consumer/src/main.ts', env)),
    get appended() {
      return appended
    },
    /** Appends `count` events to each of the topics. */
    async append(count: number, ...topics: string[]) {
      const events = Array.from({ length: count }, (_, index) => appended + index).flatMap((number) =>
        topics.map((topic) => event({ topic, eventId: `e${number}` })),
      )
      await eventually(async () => expect((await appender.appendAll(events)).failure).toBeUndefined())
      appended += count
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const seqsOf = (told: readonly Told[], topic: string) =>
  told.filter(({ data }) => data.topic === topic).map(({ data }) => data.seq)

/** Reads on for so long from where `told` ends, from whichever gateway answers. */
async function readOn(
  urls: readonly string[],
  query: string,
  told: Told[],
  round: number,
  ms = 50,
): Promise<void> {
  const id = told.at(-1)?.id
  const url = urls[round % urls.length] as string
  using tail = openTail(url, `${query}&from=start`, id === undefined ? {} : { 'Last-Event-ID': id })
  using _cut = cutAfter(ms, tail)
  await tail.over
  told.push(...tail.told)
}

function cutAfter(ms: number, tail: Disposable): Disposable {
  const timer = setTimeout(() => tail[Symbol.dispose](), ms)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

test('cut every 50 ms while gateways are restarted under load, what came adds up to the log [P5]', async () => {
  await using log = await ownLog()
  log.consumer()
  const gateways = [await startGateway(log.env), await startGateway(log.env)]
  const urls = gateways.map(({ url }) => url)
  await using _gateways = {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()))
    },
  }
  const one: Told[] = []
  const all: Told[] = []
  let restart: Promise<void> = Promise.resolve()
  for (let round = 0; round < 48; round++) {
    const reads = [readOn(urls, 'topic=load.a', one, round), readOn(urls, 'topic=load.*', all, round + 1)]
    await log.append(25, 'load.a', 'load.b')
    await Promise.all(reads)
    if (round % 12 !== 6) continue
    await restart
    const index = round % 24 === 6 ? 0 : 1
    const signal = round < 24 ? 'SIGTERM' : 'SIGKILL'
    restart = (async () => {
      const { url, ...leaver } = gateways[index] as Gateway
      leaver.signal(signal)
      expect(await leaver.exited).toBe(signal === 'SIGTERM' ? 0 : signal)
      gateways[index] = await startGateway({ ...log.env, PORT: new URL(url).port })
    })()
  }
  await restart
  await eventually(async () => {
    // Longer: on a slow machine nothing has come within 50 ms.
    await Promise.all([
      readOn(urls, 'topic=load.a', one, 0, 1_000),
      readOn(urls, 'topic=load.*', all, 1, 1_000),
    ])
    expect(one.length).toBeGreaterThanOrEqual(log.appended)
    expect(all.length).toBeGreaterThanOrEqual(2 * log.appended)
  })
  expect(seqsOf(one, 'load.a')).toEqual(upTo(log.appended))
  expect(seqsOf(all, 'load.a')).toEqual(upTo(log.appended))
  expect(seqsOf(all, 'load.b')).toEqual(upTo(log.appended))
})

test('a gateway that leaves ends its tails in good order, whoever listens', async () => {
  await using log = await ownLog()
  await using gateway = await startGateway(log.env)
  using tail = openTail(gateway.url, 'topic=quiet')
  const response = await tail.answered
  gateway.signal('SIGTERM')
  await tail.over
  expect(response.complete).toBe(true)
  expect(await gateway.exited).toBe(0)
})

test('a commit that comes late, and an announcement that comes early, skip nothing [P5]', async () => {
  await using log = await ownLog()
  await using gateway = await startGateway(log.env)
  const topics = ['late.a', 'late.b'] as TopicName[]
  await ensureTopics(log.store, topics)
  /** Stores five more events of a topic, as a turn does; `meanwhile` runs before the commit. */
  const write = (topic: string, meanwhile: (announce: () => Promise<unknown>) => Promise<void>) =>
    withTransaction(log.store, 'turn', async ({ $client: client }) => {
      const { rows } = await client.query(
        `UPDATE topics SET head = head + 5, position = (head + 5) || '-0' WHERE name = $1 RETURNING id, head, position`,
        [topic],
      )
      const { id, head, position } = rows[0]
      await client.query(
        `INSERT INTO events (topic_id, seq, event_id, "timestamp", received_at, source, payload)
         SELECT $1, n, 'e' || n, now(), now(), 'test', '{}' FROM generate_series($2 - 4, $2::int) n`,
        [id, head],
      )
      await meanwhile(async () => {
        await announceHeads(log.broker, log.broker.redis, [
          { topicId: id, topic: topic as TopicName, head: Number(head), epoch: 1, position },
        ])
      })
    })
  using all = openTail(gateway.url, 'topic=late.*&from=start')
  using one = openTail(gateway.url, 'topic=late.a&from=start')
  await Promise.all([all.answered, one.answered])
  for (let round = 1; round <= 3; round++) {
    // Stored first, committed last: whoever sorted by time alone would have passed it by.
    await write('late.a', async (announce) => {
      await announce()
      await write('late.b', async () => {})
      await eventually(() => expect(seqsOf(all.told, 'late.b')).toEqual(upTo(5 * round)))
      expect(seqsOf(all.told, 'late.a')).toEqual(upTo(5 * round - 5))
    })
    await eventually(() => {
      expect(seqsOf(all.told, 'late.a')).toEqual(upTo(5 * round))
      expect(seqsOf(one.told, 'late.a')).toEqual(upTo(5 * round))
    })
  }
  using again = openTail(gateway.url, `topic=late.*&last_event_id=${all.told[7]?.id}`)
  await eventually(() => expect(again.told.length).toBe(22))
})

test('a tail stays through restarts of Redis and of PostgreSQL, and one that comes meanwhile waits [P9]', async () => {
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using log = await ownLog(redis.url, postgres.url)
  log.consumer()
  await using gateway = await startGateway(log.env)
  await log.append(10, 'orders')
  using tail = openTail(gateway.url, 'topic=orders&from=start')
  await eventually(() => expect(tail.told.length).toBe(10))
  await redis.kill()
  await redis.start()
  await log.append(10, 'orders')
  await eventually(() => expect(tail.told.length).toBe(20))
  await postgres.kill()
  await log.append(10, 'orders')
  using meanwhile = openTail(gateway.url, 'topic=orders.paid&from=start')
  expect((await meanwhile.answered).statusCode).toBe(200)
  expect((await fetch(`${gateway.url}/tail?topic=orders.sent`)).status).toBe(503)
  await postgres.start()
  await log.append(5, 'orders.paid')
  await eventually(() => {
    expect(seqsOf(tail.told, 'orders')).toEqual(upTo(30))
    expect(seqsOf(meanwhile.told, 'orders.paid')).toEqual(upTo(5))
  })
})
