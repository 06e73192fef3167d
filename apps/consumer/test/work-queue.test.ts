import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { createNews } from '@sekali/process/work-queue'
import { expect, test } from 'vitest'
import { hearOfCommit } from '../src/loop.ts'
import { createMemory } from '../src/memory.ts'

const topic = 'orders' as TopicName

test('a topic is left alone when another consumer has committed, and not for what this one said itself', async () => {
  const news = createNews<TopicName>()
  const memory = createMemory()
  const hear = (position: string) => {
    hearOfCommit({ topicId: 1, topic, head: 1, position: position as Position }, news, memory)
    const left = news.take(9)
    news.putBack(left)
    return left
  }
  memory.committed.set(topic, '9-0' as Position)
  news.add(topic)
  expect([hear('7-0'), hear('9-0')]).toEqual([[topic], [topic]]) // late, and our own
  expect(hear('10-0')).toEqual([])
  expect(memory.caughtUp.get(topic)).toBe('10-0')
  // What comes right after it is the other's to take first.
  news.add(topic)
  expect(news.take(1)).toEqual([])
  await news.wait(AbortSignal.timeout(2_000))
  expect(news.take(1)).toEqual([topic])
})
