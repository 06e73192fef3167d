import { expect, test } from 'vitest'
import { round, toMarkdown } from '../src/report/markdown.ts'
import { replaceBetweenMarkers } from '../src/report/markers.ts'
import { summarize } from '../src/report/summary.ts'
import { wrapped } from '../src/report/wrapped.ts'
import { result } from './results.ts'

test.for([
  [0.12345, '0.123'],
  [0, '0'],
  [9.999, '10'],
  [123.4, '123'],
  [999.6, '1,000'],
  [47_313.7, '47,300'],
  [1_234_567, '1,230,000'],
] as const)('%d reads %s', ([value, text]) => {
  expect(round(value)).toBe(text)
})

test('a row has its figures, its spread and its verdict', () => {
  const one = result([90_000, 41_000, 50_000], [100_000, 50_000, 100_000])
  const table = toMarkdown([summarize(one)], [one])
  expect(table).toContain(
    '| **commit** | 50,000 rows/s | 100,000 rows/s | **0.82** (0.5 – 0.9) | ≥ 0.8 | ≥ 1 | reached |',
  )
  expect(table).toContain('- **commit**: rows; against: COPY\n')
  expect(table).toContain('- commit, ours: postgres 0.50 · bench 0.25\n')
  expect(table).not.toContain('others took')
})

test('long texts are cut into lines, between words', () => {
  const text = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ')
  const lines = wrapped(text, '  ').split('\n')
  expect(lines.every((line) => line.length <= 120)).toBe(true)
  expect(lines.slice(1).every((line) => line.startsWith('  word'))).toBe(true)
  expect(lines.map((line) => line.trim()).join(' ')).toBe(text)
})

test('a noisy round is said aloud', () => {
  const one = result([1], [1])
  const noisy = { ...one, ours: one.ours.map((measure) => ({ ...measure, foreign: 0.25 })) }
  expect(toMarkdown([summarize(noisy)], [noisy])).toContain('others took 25 % of the machine')
})

test('only what is between the marks changes', () => {
  const marks = ['<!-- npm run bench -- --write: begin -->', '<!-- npm run bench -- --write: end -->']
  const page = `before\n${marks[0]}\nold\n${marks[1]}\nafter\n`
  const written = replaceBetweenMarkers(page, 'new\n')
  expect(written).toBe(`before\n${marks[0]}\n\nnew\n\n${marks[1]}\nafter\n`)
  expect(replaceBetweenMarkers(written, 'new')).toBe(written)
  expect(() => replaceBetweenMarkers('no marks', 'new')).toThrow('must have')
})
