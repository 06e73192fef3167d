import { expect, test } from 'vitest'
import { add, figureNames, figuresOf, outcomesOf, subtract, sum } from '../src/log/figures.ts'

test('what is unknown makes a sum unknown, and never 0', () => {
  expect(sum([1, 2, 3])).toBe(6)
  expect(sum([1, null, 3])).toBeNull()
  expect(sum([])).toBe(0)
  expect(add({ stored: 1, lost: null }, { stored: 2, lost: 3 })).toEqual({ stored: 3, lost: null })
  expect(subtract({ stored: 1, lost: 3 }, { stored: 2, lost: null })).toEqual({ stored: -1, lost: null })
})

test('figures come in the order in which people are shown them', () => {
  const figures = figuresOf((name) => figureNames.indexOf(name))
  expect(JSON.stringify(figures)).toBe(
    '{"accepted":0,"stored":1,"duplicates":2,"conflicts":3,"dead":4,"lost":5,"in_flight":6}',
  )
  expect(Object.keys(outcomesOf(() => 0))).toEqual(figureNames.slice(1, -1))
})
