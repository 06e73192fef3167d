import { expect, test } from 'vitest'
import { toChart } from '../src/report/chart.ts'
import { summarize } from '../src/report/summary.ts'
import { measures, result, row } from './results.ts'

/** Widths of the bars, from top to bottom. */
const barsOf = (svg: string) =>
  [...svg.matchAll(/<rect [^>]*width="(\d+)"/g)].map(([, width]) => Number(width))

test('a bar is the share of the goal, whichever way is better, and ends at the edge', () => {
  const lower = row({ name: 'memory', target: { of: 'value', better: 'lower', must: 300 } })
  const [half, whole, twice, edge] = barsOf(
    toChart([
      summarize(result([40], [100])),
      summarize(result([80], [100])),
      summarize({ row: lower, ours: measures(150), rival: [] }),
      summarize(result([900], [100])),
    ]),
  )
  expect(whole).toBe(2 * (half ?? 0))
  expect(twice).toBe(2 * (whole ?? 0))
  expect(edge).toBe(twice)
})

test('a row without any goal has no bar', () => {
  const svg = toChart([summarize(result([1], [1], { target: { of: 'ratio', better: 'higher' } }))])
  expect(barsOf(svg)).toEqual([])
  expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
})
