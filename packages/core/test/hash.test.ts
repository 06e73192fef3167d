import { expect, test } from 'vitest'
import { hash } from '../src/text/hash.ts'

test('a text has the same hash in every version: processes that differ share topics by it', () => {
  expect(['', 'orders', 'orders.eu.paid', 'ø', 'consumer-1'].map(hash)).toEqual([
    2_872_998_923, 2_069_166_408, 2_512_540_323, 174_210_829, 3_857_844_118,
  ])
})

test('names that hardly differ are spread evenly', () => {
  const counts = new Map<number, number>()
  for (let n = 0; n < 64_000; n++) {
    const bucket = hash(`topic-${n}`) % 64
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  expect(counts.size).toBe(64)
  // 1,000 each; by chance alone it is 970 to 1,030 for two thirds of them.
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})
