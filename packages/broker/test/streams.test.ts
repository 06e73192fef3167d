/** What a scan and /stats read of all streams. */
import type { TopicName } from '@sekali/core/event'
import { ownBroker } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readStreams } from '../src/operate/streams.ts'
import { groupPrefix, streamKey, topicsKey } from '../src/redis/keys.ts'

test('of each stream there is its own group, also among others’, and a count of any size', async () => {
  await using broker = await ownBroker()
  const { redis } = broker
  const key = (topic: string) => streamKey(broker, topic)
  const names = ['plain', 'shared', 'bare', 'great', 'text', 'gone']
  await redis.sadd(topicsKey(broker), ...names)
  const group = `${groupPrefix(broker)}g`
  for (const topic of ['plain', 'shared', 'bare', 'great']) await redis.xadd(key(topic), '5-1', 'e', 'x')
  await redis.xgroup('CREATE', key('plain'), group, '0')
  await redis.xreadgroup('GROUP', group, 'c', 'STREAMS', key('plain'), '>')
  await redis.xgroup('CREATE', key('shared'), 'aaa', '0')
  await redis.xgroup('CREATE', key('shared'), group, '0')
  const great = Number.MAX_SAFE_INTEGER - 1
  await redis.call('XSETID', key('great'), '5-1', 'ENTRIESADDED', String(great), 'MAXDELETEDID', '0-0')
  await redis.set(key('text'), 'no stream')
  const streams = await readStreams(broker, ['also'] as TopicName[])
  expect(Object.fromEntries(streams)).toEqual({
    plain: { group, entriesAdded: 1, lastId: '5-1', pending: 1 },
    shared: { group, entriesAdded: 1, lastId: '5-1', pending: 0 },
    bare: { group: null, entriesAdded: 1, lastId: '5-1', pending: 0 },
    great: { group: null, entriesAdded: great, lastId: '5-1', pending: 0 },
    text: { group: null, entriesAdded: null, lastId: null, pending: 0 },
  })
})

test('more streams than a script looks at are all there', async () => {
  await using broker = await ownBroker()
  const names = Array.from({ length: 1_050 }, (_, n) => `t${n}`)
  await broker.redis.sadd(topicsKey(broker), ...names)
  for (const name of names) void broker.redis.xadd(streamKey(broker, name), '1-1', 'e', 'x')
  expect([...(await readStreams(broker)).keys()].sort()).toEqual(names.sort())
})
