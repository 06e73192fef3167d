/** PostgreSQL is put back to an earlier state under consumers that go on, and nothing new comes. */
import type { TopicName } from '@sekali/core/event'
import { readForks } from '@sekali/store/forks'
import { backUp } from '@sekali/testkit/backup'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { numbered, type OwnStack, ownStack, streamOf } from '../test/stack.ts'

const large = { payload: `{"text":"${'x'.repeat(5_000)}"}` }
/** A consumer looks every five seconds whether it is still the same state. */
const noticedMs = 30_000

const forksOf = async ({ store }: OwnStack) =>
  [...(await readForks(store)).values()].map(({ topic, forks }) => [
    topic,
    ...forks.map(({ forkedAt }) => forkedAt),
  ])

test('consumers notice a restore of topics that are quiet, with and without a stream, and of those that are gone', async () => {
  await using stack = await ownStack()
  // Of what is stored nothing is in Redis any more.
  await using first = stack.consumer('c1', { KEEP_SECONDS: '0' })
  await using _second = stack.consumer('c2', { KEEP_SECONDS: '0' })
  await stack.append(numbered(10, 1, large))
  await stack.settled()
  await using backup = await backUp(stack.store.url)
  const quiet = { ...large, topic: 'quiet' as TopicName }
  await eventually(() => stack.append(numbered(10, 11, large)))
  await stack.append(numbered(10, 1, quiet))
  await stack.settled()
  await stack.settled('quiet')
  // Its stream is retired meanwhile, as far as these consumers can tell.
  await stack.broker.redis.del(streamOf(stack.broker, 'quiet'))
  await backup.restore()
  await eventually(async () => {
    expect((await forksOf(stack)).sort()).toEqual([
      ['orders', 10],
      ['quiet', 0],
    ])
  }, noticedMs)
  expect(first.output()).not.toContain('"level":60')
  await stack.append(numbered(5, 21, large))
  await eventually(async () => expect(await stack.figures()).toMatchObject({ epoch: 2 }))
})

test('after a failover to a standby that lagged, what it lacks is stored again without anything new, and nobody is told', async () => {
  await using stack = await ownStack()
  await using _first = stack.consumer('c1')
  await using _second = stack.consumer('c2')
  // A few at a time, which are not packed: Redis drops acknowledged packs of several events at once.
  await stack.append(numbered(3))
  await stack.settled()
  await using backup = await backUp(stack.store.url)
  await eventually(() => stack.append(numbered(3, 4)))
  await stack.settled()
  const before = (await stack.log()).map(({ seq, eventId }) => [seq, eventId])
  await backup.restore()
  await eventually(async () => {
    expect((await stack.log()).map(({ seq, eventId }) => [seq, eventId])).toEqual(before)
  }, noticedMs)
  expect(await stack.figures()).toMatchObject({ epoch: 1, lost: 0, duplicates: 0 })
  expect(await forksOf(stack)).toEqual([])
})
