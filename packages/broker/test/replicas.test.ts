/** What REDIS_REPLICAS_MIN makes of an append. */
import { type Broker, connectBroker, untilConnected } from '@sekali/broker/connect'
import { NotReplicated } from '@sekali/core/errors'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { event } from '@sekali/testkit/sample'
import { type BreakableRedis, ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { checkWritable } from '../src/operate/health.ts'
import { streamKey } from '../src/redis/keys.ts'

/** Replicas are there at once, and a primary that ends waits for none of them. */
const atOnce = ['--repl-diskless-sync-delay', '0', '--shutdown-timeout', '0']
async function ownReplica({ url }: BreakableRedis) {
  const { port, password } = new URL(url)
  const replica = await ownRedis(['--replicaof', '127.0.0.1', port, '--masterauth', password, ...atOnce])
  return {
    url: replica.url,
    pause: () => replica.server.kill('SIGSTOP'),
    resume: () => replica.server.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await replica.kill() // while it writes its first file it would not end
      await replica[Symbol.asyncDispose]()
    },
  }
}

async function waitingBroker(url: string, replicasMin = 1): Promise<Broker> {
  const broker = connectBroker({ url, prefix: 'test', name: 'test', replicasMin }, quiet)
  await untilConnected(broker, 5_000)
  return broker
}

/** A replica is there, and confirms. */
const untilFollowed = (broker: Broker) =>
  eventually(async () => {
    await broker.redis.set('test:probe', 'written')
    expect(await broker.redis.wait(1, 300)).toBe(1)
  })

test('an append is acknowledged once a replica has it, and otherwise refused; a repeat is safe [P1] [P9]', async () => {
  await using redis = await ownRedis(atOnce)
  await using broker = await waitingBroker(redis.url)
  const appender = createAppender(broker, () => {})
  const append = (eventId: string) => appender.append(event({ eventId }))
  const entries = () => broker.redis.xlen(streamKey(broker, 'orders'))

  await expect(append('none')).rejects.toThrow(NotReplicated)
  expect(await entries(), 'nothing is appended that could not be acknowledged').toBe(0)
  expect((await checkWritable(broker)).problems).toEqual([
    expect.stringMatching(/^0 replicas are connected.*REPLICAS_MIN/),
  ])

  await using replica = await ownReplica(redis)
  await untilFollowed(broker)
  expect((await checkWritable(broker)).problems).toEqual([])
  await eventually(() => append('both'))
  const had = await entries()
  await using atReplica = await ownBroker(replica.url, 'test')
  expect(await atReplica.redis.xlen(streamKey(broker, 'orders'))).toBe(had)

  await using two = await waitingBroker(redis.url, 2)
  await expect(createAppender(two, () => {}).append(event({ eventId: 'two' }))).rejects.toThrow(NotReplicated)
  await broker.redis.call('ACL', 'SETUSER', 'weak', 'on', '>pw', '~*', '&*', '+@all', '-wait')
  await using weak = await waitingBroker(redis.url.replace(/default:.*@/, 'weak:pw@'))
  expect((await checkWritable(weak)).problems).toEqual([expect.stringMatching(/NOPERM WAIT/)])

  replica.pause()
  await expect(append('primary')).rejects.toMatchObject({ code: 'not_replicated', retryable: true })
  await expect(append('refused')).rejects.toThrow(NotReplicated)
  expect(await entries(), 'one more, of which it turned out afterwards').toBe(had + 1)

  replica.resume()
  await eventually(() => append('primary'))
  expect(await entries()).toBeGreaterThan(had + 1)
})

test('what was refused is not vouched for: if Redis loses it, nothing is counted as lost [P7]', async () => {
  await using redis = await ownRedis(atOnce)
  await using replica = await ownReplica(redis)
  await using broker = await waitingBroker(redis.url)
  await untilFollowed(broker)
  const appender = createAppender(broker, () => {})
  const append = (eventId: string) => appender.append(event({ eventId }))
  const counted = async () => {
    const stream = (await broker.redis.xinfo('STREAM', streamKey(broker, 'orders'))) as unknown[]
    const [added, length] = ['entries-added', 'length'].map((name) =>
      Number(stream[stream.indexOf(name) + 1]),
    )
    return { added, length }
  }
  for (const eventId of ['a', 'b', 'c']) await eventually(() => append(eventId))
  const bytes = await redis.fileBytes()
  const { length = 0 } = await counted()

  replica.pause()
  // The first of them is appended; the second would only count what is there.
  for (const eventId of ['d', 'd']) await expect(append(eventId)).rejects.toThrow(NotReplicated)
  expect(await counted()).toEqual({ added: length + 1, length: length + 1 })
  await redis.tear(bytes)
  replica.resume()
  await eventually(() => append('d'))
  const now = await counted()
  expect(now.added, 'no entry is missing that was ever counted').toBe(now.length)
})

test('however many topics there are, they wait together and not one after the other', async () => {
  await using redis = await ownRedis(atOnce)
  await using replica = await ownReplica(redis)
  await using broker = await waitingBroker(redis.url)
  await untilFollowed(broker)
  const appender = createAppender(broker, () => {})
  const topics = Array.from({ length: 10 }, (_, index) => `topic-${index}`)
  await eventually(() => Promise.all(topics.map((topic) => appender.append(event({ topic })))))

  replica.pause()
  const outcomes: Promise<unknown>[] = []
  for (const topic of topics) {
    outcomes.push(appender.append(event({ topic, eventId: 'late' })).catch((error: unknown) => error))
    await new Promise(setImmediate) // in a write of its own, if it may
  }
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toBeInstanceOf(NotReplicated)
})
