import type { TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { createWorkQueue } from '@sekali/process/work-queue'
import { expect, test } from 'vitest'
import { onHeadAnnounced } from '../src/loop.ts'
import { createMemory } from '../src/upkeep/memory.ts'

const topic = 'orders' as TopicName

test('a topic is left alone when another consumer has committed, and not for its own announcements', async () => {
  const queue = createWorkQueue<TopicName>()
  const memory = createMemory()
  const hear = (position: string) => {
    onHeadAnnounced({ topicId: 1, topic, head: 1, epoch: 1, position: position as Position }, queue, memory)
    const left = queue.take(9)
    queue.putBack(left)
    return left
  }
  memory.committed.set(topic, '9-0' as Position)
  queue.add(topic)
  expect([hear('7-0'), hear('9-0')]).toEqual([[topic], [topic]]) // late, and our own
  expect(hear('10-0')).toEqual([])
  expect(memory.caughtUp.get(topic)).toBe('10-0')
  // What comes right after it is the other's to take first.
  queue.add(topic)
  expect(queue.take(1)).toEqual([])
  await queue.wait(AbortSignal.timeout(2_000))
  expect(queue.take(1)).toEqual([topic])
})
