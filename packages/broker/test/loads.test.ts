/** What topics' streams weigh. */
import type { TopicName } from '@sekali/core/event'
import { ownBroker } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { readLoads } from '../src/operate/loads.ts'
import { streamKey } from '../src/redis/keys.ts'

const name = (topic: string) => topic as TopicName

test('entries and bytes of streams are told, of those that are there', async () => {
  await using broker = await ownBroker()
  const taken: unknown[] = []
  const appender = createAppender(
    broker,
    () => undefined,
    (...all) => taken.push(all),
  )
  await appender.appendAll(upTo(100).map((n) => event({ topic: 'many', eventId: `e${n}` })))
  const payload = `"${'é'.repeat(100_000)}"`
  await appender.append(event({ topic: 'large', payload }))
  await broker.redis.set(streamKey(broker, 'odd'), 'no stream')
  const loads = await readLoads(broker, ['many', 'none', 'large', 'odd'].map(name))
  expect([...loads.keys()]).toEqual(['many', 'large', 'odd'])
  expect(loads.get(name('many'))).toMatchObject({
    group: expect.stringMatching(`^${broker.prefix}-`),
    entriesAdded: 100,
  })
  expect(loads.get(name('many'))?.bytes).toBeGreaterThan(100 * 50)
  // As UTF-8.
  expect(loads.get(name('large'))?.bytes).toBeGreaterThan(200_000)
  expect(loads.get(name('odd'))).toEqual({ group: null, entriesAdded: null, bytes: null })
  expect(taken).toEqual([
    ['many', 100, expect.any(Number)],
    ['large', 1, expect.any(Number)],
  ])
})

test('what is told of many streams is told of all of them', async () => {
  await using broker = await ownBroker()
  const appender = createAppender(broker, () => undefined)
  const topics = upTo(120).map((n) => name(`t${n}`))
  await appender.appendAll(topics.map((topic) => event({ topic })))
  const loads = await readLoads(broker, topics)
  expect([...loads.keys()]).toEqual(topics)
  expect([...loads.values()].every(({ entriesAdded }) => entriesAdded === 1)).toBe(true)
})

test('where Redis may not say what a stream weighs, its entries are told', async () => {
  await using admin = await ownBroker()
  const topic = name('orders')
  await createAppender(admin, () => undefined).append(event({ topic }))
  await admin.redis.call('ACL', 'SETUSER', admin.prefix, 'on', 'nopass', '~*', '+@all', '-memory|usage')
  const url = new URL(`redis://${admin.prefix}:any@${admin.redis.options.host}:${admin.redis.options.port}`)
  try {
    await using broker = await ownBroker(url.href, admin.prefix)
    expect(await readLoads(broker, [topic])).toEqual(
      new Map([[topic, { group: expect.any(String), entriesAdded: 1, bytes: null }]]),
    )
  } finally {
    await admin.redis.call('ACL', 'DELUSER', admin.prefix)
  }
})
