import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { eachHead, readHeads } from '../src/read/heads.ts'

const count = 5_000

async function ownTopics() {
  const store = await ownStore()
  await store.pool.query(
    `INSERT INTO topics (name, head, position, retired, epoch)
     SELECT 'a.' || n, n, n || '-3', n % 2 = 0, 1 + n / 8 FROM generate_series(1, $1::int) n`,
    [count],
  )
  return store
}

test('thousands of heads are given out some at a time, and other work comes in between', async () => {
  await using store = await ownTopics()
  let passes = 0
  let isReading = true
  const pass = () => {
    passes += 1
    if (isReading) setImmediate(pass)
  }
  pass()
  const given = new Map<number, number>()
  await eachHead(store, undefined, () => {
    given.set(passes, (given.get(passes) ?? 0) + 1)
    for (const until = performance.now() + 0.02; performance.now() < until; );
  })
  isReading = false
  expect([...given.values()].reduce((sum, some) => sum + some, 0)).toBe(count)
  expect(Math.max(...given.values())).toBeLessThanOrEqual(512)
})

test('a head comes with all that is known of its topic, whichever way it is asked for', async () => {
  await using store = await ownTopics()
  const odd = { topicId: 7, topic: 'a.7', head: 7, position: '7-3', epoch: 1 }
  const retired = { topicId: 8, topic: 'a.8', head: 8, position: '0-0', epoch: 2 }
  expect(await readHeads(store, ['a.8', 'a.7', 'none'])).toEqual([odd, retired])
  expect(await readHeads(store, /^a\.[78]$/)).toEqual([odd, retired])
  expect(await readHeads(store, ['none'])).toEqual([])
  expect(await readHeads(store, /^a/, 501)).toHaveLength(501)
  expect(new Set((await readHeads(store)).map(({ topic }) => topic)).size).toBe(count)
})
