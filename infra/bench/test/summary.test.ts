import { expect, test } from 'vitest'
import type { RowResult } from '../src/heat.ts'
import { summarize } from '../src/report/summary.ts'
import { measures, result, row } from './results.ts'

test('the ratio is of the same round, and its median is not that of the medians', () => {
  const summary = summarize(result([90, 40, 200], [100, 50, 100]))
  expect(summary.ratio).toEqual({ median: 0.9, min: 0.8, max: 2 })
  expect(summary.figure).toEqual(summary.ratio)
  expect(summary.ours.median).toBe(90)
  expect(summary.rival?.median).toBe(100)
})

test.for([
  [79, 'missed'],
  [80, 'met'],
  [99, 'met'],
  [100, 'aim'],
] as const)('%d of 100 is %s', ([ours, verdict]) => {
  expect(summarize(result([ours], [100])).verdict).toBe(verdict)
})

test('where less is better, less is what reaches the goal', () => {
  const target = { of: 'value', better: 'lower', must: 300, aim: 200 } as const
  const verdictOf = (value: number) =>
    summarize({ row: row({ target }), ours: measures(value), rival: [] }).verdict
  expect([150, 200, 250, 301].map(verdictOf)).toEqual(['aim', 'aim', 'met', 'missed'])
})

test('what must reach nothing is reported', () => {
  const target = { of: 'ratio', better: 'higher', aim: 1 } as const
  expect(summarize(result([1], [2], { target })).verdict).toBe('reported')
  expect(summarize(result([2], [2], { target })).verdict).toBe('aim')
})

test('the share of others is the worst of all rounds, and unknown when nobody knows', () => {
  const one = result([1], [2])
  expect(summarize({ ...one, rival: one.rival.map((m) => ({ ...m, foreign: 0.4 })) }).foreign).toBe(0.4)
  const unknown = one.ours.map((m) => ({ ...m, foreign: null }))
  expect(summarize({ ...one, ours: unknown, rival: unknown }).foreign).toBeNull()
})

test('of several parts the one that grows most is the figure, by the ratios of its rounds', () => {
  const target = { of: 'worst part', better: 'lower', aim: 1.25 } as const
  const one = result([3, 3], [3, 3], { target })
  const withParts = (side: RowResult['ours'], pages: number[], start: number) =>
    side.map((measure, round) => ({ ...measure, also: { page: pages[round] ?? 0, start } }))
  const summary = summarize({
    ...one,
    ours: withParts(one.ours, [4, 6], 10),
    rival: withParts(one.rival, [2, 2], 10),
  })
  expect(summary.figure).toEqual({ median: 2.5, min: 2, max: 3 })
  expect(summary.verdict).toBe('reported')
  expect(summary.parts.map(({ name, ratio }) => [name, ratio.median])).toEqual([
    ['page', 2.5],
    ['start', 1],
  ])
})
