/** What an id means to a feed, in a log that was restored: the feed reads in one epoch, and ids come of any. */
import type { TopicName } from '@sekali/core/event'
import { parsePattern } from '@sekali/core/pattern'
import type { Position } from '@sekali/core/position'
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { ownStore } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { createFeedIds } from '../src/tail/feed-ids.ts'
import { createProgress } from '../src/tail/progress.ts'

const head = (topicId: number, topic: string, epoch: number, seq: number) => ({
  ...{ topicId, topic: topic as TopicName, epoch, head: seq },
  position: '0-0' as Position,
})

/** A log of two topics, of which the first was restored to 5 of 10; and the ids of a feed that has begun since. */
async function ownFeed(text: string) {
  const store = await ownStore()
  for (const topic of ['t.a', 't.b']) {
    await storeEvents(
      store,
      upTo(10).map((seq) => event({ topic, eventId: `x${seq}` })),
    )
  }
  await putBack(store, 't.a', 5)
  await beginEpoch(store, 't.a')
  const progress = createProgress()
  progress.start(head(1, 't.a', 2, 5))
  if (text === 't.*') progress.start(head(2, 't.b', 1, 10))
  const ids = createFeedIds({ pattern: parsePattern(text), store, progress, readTargets: async () => [] })
  return { store, progress, ids, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

test('an id of an earlier epoch has to be judged before anything is read behind it, and is spelled anew', async () => {
  await using own = await ownFeed('t.a')
  const { ids } = own
  expect(ids.gapAfter('4')).toBeUndefined()
  expect(await ids.normalize('4')).toBe('2.4')
  expect(ids.gapAfter('2.4')?.ranges).toEqual([{ topicId: 1, epoch: 2, after: 4, upTo: 5 }])
  expect(await ids.normalize('5')).toBe('2.5')
  await expect(ids.normalize('6')).rejects.toMatchObject({
    code: 'log_restored',
    topic: 't.a',
    cursor: '2.5',
  })
  await expect(ids.normalize('3.4')).rejects.toMatchObject({ code: 'cursor_ahead' })
  expect(await ids.normalize('2.9')).toBe('2.9') // not there yet
  expect(ids.gapAfter('2.9')?.ranges).toEqual([])
  expect(await ids.normalize('0')).toBe('0')
  expect(ids.gapAfter('0')?.ranges).toEqual([{ topicId: 1, epoch: 2, after: 0, upTo: 5 }])
  expect([await ids.normalize('1.4'), await ids.normalize('x')]).toEqual([undefined, undefined])
})

test('of a pattern each topic is judged by itself, and those that are good are left as they are', async () => {
  await using own = await ownFeed('t.*')
  const { ids } = own
  expect(await ids.normalize('1.4_2.9')).toBe('1.2.4_2.9')
  expect(ids.gapAfter('1.4_2.9')).toBeUndefined()
  expect(ids.gapAfter('1.2.4_2.9')?.ranges).toEqual([
    { topicId: 1, epoch: 2, after: 4, upTo: 5 },
    { topicId: 2, epoch: 1, after: 9, upTo: 10 },
  ])
  await expect(ids.normalize('1.6_2.9')).rejects.toMatchObject({ topic: 't.a', cursor: '1.2.5_2.9' })
  // In the epoch of the feed, beside one that has to be judged.
  await putBack(own.store, 't.b', 3)
  await beginEpoch(own.store, 't.b')
  await expect(ids.normalize('1.4_2.9')).rejects.toMatchObject({ topic: 't.b', cursor: '1.4_2.2.3' })
})

test('a head of another epoch, another name or another number is of another log', () => {
  const progress = createProgress()
  expect(progress.isOther(head(1, 'a', 2, 9))).toBe(false)
  progress.start(head(1, 'a', 2, 9))
  expect(progress.isOther(head(1, 'a', 2, 4))).toBe(false)
  expect(progress.isOther(head(1, 'a', 3, 9))).toBe(true)
  expect(progress.isOther(head(1, 'b', 2, 9))).toBe(true)
  expect(progress.isOther(head(7, 'a', 2, 9))).toBe(true)
  expect(progress.isOther(head(7, 'c', 2, 9))).toBe(false)
})
