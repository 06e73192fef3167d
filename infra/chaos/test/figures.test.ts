import { expect, test } from 'vitest'
import { patternAround } from '../src/check/figures.ts'
import { topicsOf } from '../src/topics.ts'

test('the figures of a run are asked for by what its topics have in common', () => {
  expect(patternAround(topicsOf(42))).toBe('chaos.42.%3E')
  expect(patternAround(['a.b', 'a.b.c'])).toBe('a.%3E')
  expect(patternAround(['a', 'b'])).toBe('%3E')
  expect(patternAround(['a.b'])).toBe('a.b')
})
