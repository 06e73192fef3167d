import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createNews } from '../src/loop/work-queue.ts'

test('what is put back comes first, the rest in the order in which it was heard', () => {
  const news = createNews<string>()
  for (const name of ['a', 'b', 'a', 'c', 'd']) news.add(name)
  const taken = news.take(3)
  expect(taken).toEqual(['a', 'b', 'c'])
  news.add('b')
  news.putBack(taken.slice(1))
  expect(news.take(9)).toEqual(['b', 'c', 'd'])
})

test('those that are wanted can be taken out of turn, and the others stay in their order', () => {
  const news = createNews<string>()
  for (const name of ['a1', 'b1', 'a2', 'b2', 'a3']) news.add(name)
  news.putBack(['b0', 'a0'])
  expect(news.take(3, (name) => name.startsWith('a'))).toEqual(['a0', 'a1', 'a2'])
  expect(news.take(9, (name) => name.startsWith('c'))).toEqual([])
  expect(news.take(9)).toEqual(['b0', 'b1', 'b2', 'a3'])
})

test('a name that rests is heard of again only afterwards, and only if there was news of it', async () => {
  const news = createNews<string>()
  for (const name of ['heard before', 'dropped']) news.add(name)
  for (const name of ['heard before', 'heard meanwhile', 'dropped', 'not heard']) news.rest(name, 20)
  news.defer('deferred', 20)
  news.add('heard meanwhile')
  news.drop('dropped')
  expect(news.take(9)).toEqual([])
  const heard: string[] = []
  await eventually(async () => {
    heard.push(...news.take(9))
    expect(heard.toSorted()).toEqual(['deferred', 'heard before', 'heard meanwhile'])
  })
})

test('a name that rests again waits for the last of its rests, and keeps what was heard of it', async () => {
  const news = createNews<string>()
  news.rest('resting', 1)
  news.add('resting')
  news.rest('resting', 3_600_000)
  news.defer('later than the first rest', 1)
  await news.wait(AbortSignal.timeout(5_000))
  expect(news.take(9)).toEqual(['later than the first rest'])
  expect(news.drain()).toEqual(['resting'])
})
