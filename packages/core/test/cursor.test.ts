import { expect, test } from 'vitest'
import { formatCursor, moveCursor, parseCursor } from '../src/log/cursor.ts'
import type { EpochPlace } from '../src/log/fork.ts'

const at = (seq: number, epoch = 1): EpochPlace => ({ epoch, seq })

test.each([
  [[], '0'],
  [[[1, at(0)]], '0'],
  [[[1, at(0, 2)]], '0'],
  [[[1, at(100)]], '1.2s'],
  [[[1, at(100, 2)]], '1.2.2s'],
  [
    [
      [40, at(1)],
      [7, at(20)],
      [9, at(0)],
      [8, at(20, 36)],
    ],
    '7.k_8.10.k_14.1',
  ],
  [[[2 ** 31 - 1, at(Number.MAX_SAFE_INTEGER)]], 'zik0zj.2gosa7pa2gv'],
  [[[2 ** 31 - 1, at(Number.MAX_SAFE_INTEGER, 2 ** 31 - 1)]], 'zik0zj.zik0zj.2gosa7pa2gv'],
] as [pairs: [number, EpochPlace][], text: string][])('%j is written as %s and read back', (pairs, text) => {
  const cursor = new Map(pairs)
  expect(formatCursor(cursor)).toBe(text)
  expect(parseCursor(text)).toEqual(new Map(pairs.filter(([, { seq }]) => seq > 0).sort(([a], [b]) => a - b)))
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
  '1.1.3',
  '1.0.3',
  '1.02.3',
  '1.2.0',
  '1.2.3.4',
  '1.zik0zk.3',
  '1.2.3_1.4',
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
  const cursor = new Map(Array.from({ length: 500 }, (_, index) => [1e9 + index, at(1e12 + index)]))
  expect(formatCursor(cursor).length).toBeLessThan(10_000)
  expect(parseCursor(formatCursor(cursor))).toEqual(cursor)
})

test('a cursor that moves has the text that it would have anew, behind each event', () => {
  const cursor = new Map([
    [40, at(1)],
    [7, at(35, 2)],
    [9, at(0)],
  ])
  const move = moveCursor(cursor)
  for (const topicId of [40, 7, 9, 41, 1, 40, 8, 1]) {
    const place = at((cursor.get(topicId)?.seq ?? 0) + 1, topicId % 2 === 0 ? 1 : 3)
    cursor.set(topicId, place)
    expect(move(topicId, place)).toBe(formatCursor(cursor))
  }
})
