import { expect, test } from 'vitest'
import { formatCursor, moveCursor, parseCursor } from '../src/log/cursor.ts'

test.each([
  [[], '0'],
  [[[1, 0]], '0'],
  [[[1, 100]], '1.2s'],
  [
    [
      [40, 1],
      [7, 20],
      [9, 0],
    ],
    '7.k_14.1',
  ],
  [[[2 ** 31 - 1, Number.MAX_SAFE_INTEGER]], 'zik0zj.2gosa7pa2gv'],
] as [pairs: [number, number][], text: string][])('%j is written as %s and read back', (pairs, text) => {
  const cursor = new Map(pairs)
  expect(formatCursor(cursor)).toBe(text)
  expect(parseCursor(text)).toEqual(new Map(pairs.filter(([, seq]) => seq > 0).sort(([a], [b]) => a - b)))
})

test.each([
  '',
  '1',
  '1.',
  '.1',
  '1.1_',
  '1.1_1.2',
  '2.1_1.1',
  '1.0',
  '0.1',
  '01.1',
  '1.01',
  '1.A',
  '1.2.3',
  '1.1 ',
  '1.1\n',
  'zik0zk.1',
  '1.2gosa7pa2gw',
  '1.zzzzzzzzzzz',
  '-1.1',
])('%j is no cursor', (text) => {
  expect(parseCursor(text)).toBeUndefined()
})

test('a cursor over as many topics as a pattern may match fits a header', () => {
  const cursor = new Map(Array.from({ length: 500 }, (_, index) => [1e9 + index, 1e12 + index]))
  expect(formatCursor(cursor).length).toBeLessThan(10_000)
  expect(parseCursor(formatCursor(cursor))).toEqual(cursor)
})

test('a cursor that moves has the text that it would have anew, behind each event', () => {
  const cursor = new Map([
    [40, 1],
    [7, 35],
    [9, 0],
  ])
  const move = moveCursor(cursor)
  for (const topicId of [40, 7, 9, 41, 1, 40, 8, 1]) {
    const seq = (cursor.get(topicId) ?? 0) + 1
    cursor.set(topicId, seq)
    expect(move(topicId, seq)).toBe(formatCursor(cursor))
  }
})
