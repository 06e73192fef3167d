import { expect, test } from 'vitest'
import { percentile, spreadOf } from '../src/measure/statistics.ts'

test('the median is the middle one, or the mean of the two in the middle', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 })
  expect(spreadOf([10, 4, 1, 2])).toEqual({ median: 3, min: 1, max: 10 })
  expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 })
})

test('a spread sorts numbers as numbers and leaves what it was given alone', () => {
  const values = [10, 9, 100]
  expect(spreadOf(values).median).toBe(10)
  expect(values).toEqual([10, 9, 100])
})

test('a percentile is a value that occurred', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect(percentile(values, 0.5)).toBe(50)
  expect(percentile(values, 0.99)).toBe(99)
  expect(percentile(values, 1)).toBe(100)
  expect(percentile([5], 0.01)).toBe(5)
})

test('nothing has neither', () => {
  expect(() => spreadOf([])).toThrow(RangeError)
  expect(() => percentile([], 0.5)).toThrow(RangeError)
})
