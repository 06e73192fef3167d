import { expect, test } from 'vitest'
import { type BatchSize, createBatchSize } from '../src/loop/batch-size.ts'

const eventsMax = 1_000

/** What a turn takes after three turns that were full, of such pieces. */
function sizeAfter(batch: BatchSize<string>, eventsEach: number, charsEach: number, mayGrow = true): number {
  for (let turn = 0; turn < 3; turn++) {
    const pieces = batch.size('a')
    const [events, chars] = [pieces * eventsEach, pieces * charsEach]
    batch.learn('a', { pieces, events, chars, ms: 0, mayGrow })
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
  batch.learn('a', { pieces: 0, events: 0, chars: 0, ms: 0, mayGrow: true })
  expect(batch.size('a')).toBe(64)
  batch.learn('a', { pieces: 64, events: 64, chars: 64, ms: 0, mayGrow: true })
  expect(batch.size('a')).toBe(256)
  batch.learn('a', { pieces: 256, events: 256, chars: 256 * 256 * 1024, ms: 0, mayGrow: false })
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
  batch.learn('a', { pieces: 1_000, events: 1_000, chars: 1_000, ms: 300, mayGrow: true })
  expect(batch.size('a')).toBe(500)
  // Where few take as long, it is not their number.
  batch.learn('a', { pieces: 500, events: 500, chars: 500, ms: 60_000, mayGrow: true })
  batch.learn('a', { pieces: 125, events: 125, chars: 125, ms: 60_000, mayGrow: true })
  expect(batch.size('a')).toBe(125)
  batch.learn('a', { pieces: 125, events: 125, chars: 125, ms: 20, mayGrow: true })
  expect(batch.size('a')).toBe(500)
})
