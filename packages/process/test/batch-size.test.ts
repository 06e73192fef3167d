import { expect, test } from 'vitest'
import { type BatchSize, createBatchSize } from '../src/loop/batch-size.ts'

const eventsMax = 1_000

/** What a turn takes after three turns that were full, of such portions. */
function sizeAfter(batch: BatchSize<string>, eventsEach: number, charsEach: number, mayGrow = true): number {
  for (let turn = 0; turn < 3; turn++) {
    const portions = batch.size('a')
    batch.learn('a', portions, portions * eventsEach, portions * charsEach, mayGrow)
  }
  return batch.size('a')
}

test.each([
  ['packs of 32 small events', 32, 16 * 1024, 31],
  ['single small events', 1, 500, 1_000],
  ['events of 256 KiB', 1, 256 * 1024, 32],
  ['events of a whole turn each', 1, 16 * 1024 * 1024, 1],
])('of %s a turn takes as many as come to its events or its characters', (_, eventsEach, charsEach, size) => {
  const batch = createBatchSize<string>(eventsMax)
  expect(sizeAfter(batch, eventsEach, charsEach)).toBe(size)
  expect(batch.size('another')).toBe(64)
})

test('it grows step by step, never after turns that say nothing of more, and shrinks at once', () => {
  const batch = createBatchSize<string>(eventsMax)
  expect(sizeAfter(batch, 1, 500, false)).toBe(64)
  batch.learn('a', 0, 0, 0)
  expect(batch.size('a')).toBe(64)
  batch.learn('a', 64, 64, 64)
  expect(batch.size('a')).toBe(256)
  batch.learn('a', 256, 256, 256 * 256 * 1024, false)
  expect(batch.size('a')).toBe(32)
})

test('after turns that failed it is half as much, down to one', () => {
  const batch = createBatchSize<string>(eventsMax)
  const sizes = Array.from({ length: 8 }, () => {
    batch.halve('a')
    return batch.size('a')
  })
  expect(sizes).toEqual([32, 16, 8, 4, 2, 1, 1, 1])
})

test('after a turn that took long it is less, for others to have theirs, but not below an eighth', () => {
  const batch = createBatchSize<string>(eventsMax)
  sizeAfter(batch, 1, 500)
  batch.learn('a', 1_000, 1_000, 1_000, true, 300)
  expect(batch.size('a')).toBe(500)
  // Where few take as long, it is not their number.
  batch.learn('a', 500, 500, 500, true, 60_000)
  batch.learn('a', 125, 125, 125, true, 60_000)
  expect(batch.size('a')).toBe(125)
  batch.learn('a', 125, 125, 125, true, 20)
  expect(batch.size('a')).toBe(500)
})
