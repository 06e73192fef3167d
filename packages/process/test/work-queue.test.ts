import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createWorkQueue } from '../src/loop/work-queue.ts'

test('what is put back comes first, the rest in the order in which it was heard', () => {
  const queue = createWorkQueue<string>()
  for (const name of ['a', 'b', 'a', 'c', 'd']) queue.add(name)
  const taken = queue.take(3)
  expect(taken).toEqual(['a', 'b', 'c'])
  queue.add('b')
  queue.putBack(taken.slice(1))
  expect(queue.take(9)).toEqual(['b', 'c', 'd'])
})

test('those that are wanted can be taken out of turn, and the others stay in their order', () => {
  const queue = createWorkQueue<string>()
  for (const name of ['a1', 'b1', 'a2', 'b2', 'a3']) queue.add(name)
  queue.putBack(['b0', 'a0'])
  expect(queue.take(3, (name) => name.startsWith('a'))).toEqual(['a0', 'a1', 'a2'])
  expect(queue.take(9, (name) => name.startsWith('c'))).toEqual([])
  expect(queue.take(9)).toEqual(['b0', 'b1', 'b2', 'a3'])
})

test('a name that rests is heard of again only afterwards, and only if it was added meanwhile', async () => {
  const queue = createWorkQueue<string>()
  queue.add('heard before')
  for (const name of ['heard before', 'heard meanwhile', 'not heard']) queue.rest(name, 20)
  queue.defer('deferred', 20)
  queue.add('heard meanwhile')
  expect(queue.take(9)).toEqual([])
  const heard: string[] = []
  await eventually(async () => {
    heard.push(...queue.take(9))
    expect(heard.toSorted()).toEqual(['deferred', 'heard before', 'heard meanwhile'])
  })
})

test('a name that rests again waits for the last of its rests, and keeps what was heard of it', async () => {
  const queue = createWorkQueue<string>()
  queue.rest('resting', 1)
  queue.add('resting')
  queue.rest('resting', 3_600_000)
  queue.defer('later than the first rest', 1)
  await queue.wait(AbortSignal.timeout(5_000))
  expect(queue.take(9)).toEqual(['later than the first rest'])
  expect(queue.drain()).toEqual(['resting'])
})
