/** Redis behind Sentinels: which is the primary, and what becomes of connections when it is another. */
import { type Broker, connectBroker, untilConnected } from '@sekali/broker/connect'
import { listen, passOn } from '@sekali/broker/doorbell'
import type { TopicName } from '@sekali/core/event'
import { sentenceOf, troubleOf } from '@sekali/core/trouble'
import { freePort } from '@sekali/servers/free-port'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { ownSentinels } from '@sekali/testkit/sentinels'
import { expect, test } from 'vitest'
import { checkWritable } from '../src/operate/health.ts'

async function connected(url: string): Promise<Broker> {
  const broker = connectBroker({ url, prefix: 'test', name: 'test' }, quiet)
  await untilConnected(broker, 5_000)
  return broker
}

/** The doorbell, and whether it is heard. */
function ownBell(broker: Broker) {
  const heard = new Set<string>()
  const listener = listen(broker, (topic) => void heard.add(topic))
  let rings = 0
  return {
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
    untilHeard: () =>
      eventually(async () => {
        const topic = `ring-${rings++}`
        await passOn(broker, [topic as TopicName])
        await eventually(() => expect(heard).toContain(topic), 300)
      }, 15_000),
  }
}

test('the primary is found and named; when it is killed, calls and hints go on at another [P9]', async () => {
  await using sentinels = await ownSentinels()
  await using broker = await connected(sentinels.url)
  await using bell = ownBell(broker)
  await bell.untilHeard()
  const first = `127.0.0.1:${sentinels.redises[0].port}`
  expect(broker.primary()).toBe(first)
  expect(broker.tried).toMatch(new RegExp(`primary main of the Sentinels at .*, which name ${first}$`))

  sentinels.redises[0].kill('SIGKILL')
  await eventually(() => broker.redis.set('test:key', 'value'))
  await bell.untilHeard()
  expect(broker.primary()).not.toBe(first)
  expect(broker.primary()).toBe(`127.0.0.1:${await sentinels.primaryPort()}`)
  expect((await checkWritable(broker)).problems).toEqual([])
})

test('a connection that is cut while it asks silent Sentinels comes back, and so does one that listens [P9]', async () => {
  await using sentinels = await ownSentinels()
  await using broker = await connected(sentinels.url)
  await using bell = ownBell(broker)
  await bell.untilHeard()
  await using operator = await connected(`redis://default:secret@127.0.0.1:${sentinels.redises[0].port}`)

  sentinels.signalSentinels('SIGSTOP')
  for (const type of ['normal', 'pubsub']) await operator.redis.call('CLIENT', 'KILL', 'TYPE', type)
  await eventually(() => expect(broker.redis.status).toBe('connecting'))
  broker.redis.disconnect(true) // as a call does that gets no answer in time
  await eventually(() => expect(broker.redis.status).toBe('end'))
  expect(sentenceOf(troubleOf('Redis', broker.lost()))).toMatch(/closes the connection|no Sentinel/)
  await eventually(() => expect(String(broker.lost())).toMatch(/no primary/))
  sentinels.signalSentinels('SIGCONT')
  await eventually(() => broker.redis.ping())
  await bell.untilHeard()
})

test('a primary that is cut off is left for the one that the Sentinels name, though it answers [P9]', async () => {
  await using sentinels = await ownSentinels()
  await using broker = await connected(sentinels.url)
  await using bell = ownBell(broker)
  await bell.untilHeard()
  await sentinels.cutPrimary()
  const first = String(broker.primary())
  await eventually(() => expect(broker.primary()).not.toBe(first))
  await eventually(() => broker.redis.set('test:key', 'value'))
  await bell.untilHeard()
  const url = `redis://default:secret@127.0.0.1:${sentinels.redises[0].port}`
  await using old = await connected(url)
  expect((await checkWritable(old)).problems).toEqual([])
  expect(await old.redis.get('test:key')).toBeNull()
})

test('one silent Sentinel of three keeps nobody waiting', async () => {
  await using sentinels = await ownSentinels()
  const port = await freePort()
  const url = sentinels.url.replace(`127.0.0.1:${sentinels.ports[0]}`, `127.0.0.1:${port}`)
  await using broker = await connected(url)
  expect(broker.primary()).toBe(`127.0.0.1:${sentinels.redises[0].port}`)
})

test('what is wrong with Sentinels is said in words, with a remedy', async () => {
  await using sentinels = await ownSentinels()
  const port = await freePort()
  for (const [url, words] of [
    [`redis+sentinel://127.0.0.1:${port}/main`, /no Sentinel of those.*SENTINEL_SILENT.*start them/],
    [sentinels.url.replace('/main', '/other'), /know no primary by the name.*SENTINEL MASTERS/],
    [
      sentinels.url.replace('sentinel_password=secret', 'sentinel_password=wrong'),
      /refuse the user.*sentinel_password/,
    ],
    [sentinels.url.replace('default:secret', 'default:wrong'), /Redis refuses the user or the password/],
    // To `default`, who needs none.
    [sentinels.url.replace('sentinel_user=client&', ''), /refuse the user.*sentinel_password/],
  ] as const) {
    await using broker = connectBroker({ url, prefix: 'test', name: 'test' }, quiet)
    await eventually(() => expect(sentenceOf(troubleOf('Redis', broker.lost()))).toMatch(words))
  }
})
