import { expect, test } from 'vitest'
import {
  addLive,
  addNewest,
  addOlder,
  noRows,
  type Rows,
  release,
  restoredSince,
  rowsMax,
  waitingCount,
} from '../src/log/rows.ts'
import type { LogEvent } from '../src/text/slices.ts'

const event = (seq: number, topic = 't'): LogEvent => ({
  topic,
  seq,
  event_id: `id-${seq}`,
  source: 's',
  timestamp: '',
  received_at: '',
  stored_at: '',
  payload: '{}',
})
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => event(from + at))
const seqs = (rows: Rows) => rows.shown.map(({ seq }) => seq)

test('the newest is on top, and what comes twice is shown once', () => {
  const rows = addLive(addLive(noRows, range(1, 3), false), range(2, 5), false)
  expect(seqs(rows)).toEqual([5, 4, 3, 2, 1])
  expect(addLive(rows, [event(5, 'another')], false).shown[0]?.topic).toBe('another')
})

test('that a log was restored shows in what comes of a later epoch than the rows of its topic', () => {
  const later = (seq: number, epoch: number, topic = 't') => ({ ...event(seq, topic), epoch })
  const rows = addLive(noRows, [...range(1, 3), event(9, 'u')], false)
  expect(restoredSince(rows, [event(4), later(1, 2, 'new')])).toBeUndefined()
  expect(restoredSince(rows, [event(4), later(3, 2)])).toEqual({ topic: 't', epoch: 2 })
  expect(restoredSince(addLive(noRows, range(1, 3), true), [later(3, 2)])).toEqual({ topic: 't', epoch: 2 })
  const restored = addLive(noRows, [later(3, 2)], false)
  expect(restoredSince(restored, [later(4, 2), event(4)])).toBeUndefined()
  expect(restoredSince(restored, [later(4, 3)])).toEqual({ topic: 't', epoch: 3 })
})

test('while somebody reads, what comes waits and is counted', () => {
  const rows = addLive(addLive(noRows, range(1, 3), false), range(4, 6), true)
  expect(seqs(rows)).toEqual([3, 2, 1])
  expect(waitingCount(rows)).toBe(3)
  expect(seqs(release(rows))).toEqual([6, 5, 4, 3, 2, 1])
  expect(waitingCount(release(rows))).toBe(0)
})

test('at most 1,000 rows are kept; what waits is bounded too, and a list hides no gap', () => {
  const full = addLive(noRows, range(1, 1_500), false)
  expect(full.shown).toHaveLength(rowsMax)
  expect(full.shown[0]?.seq).toBe(1_500)
  const held = addLive(addLive(full, range(1_501, 2_400), true), range(2_401, 3_000), true)
  expect(held.waiting).toHaveLength(rowsMax)
  expect(waitingCount(held)).toBe(1_500)
  const shown = seqs(release(held))
  expect([shown[0], shown.at(-1), shown.length]).toEqual([3_000, 2_001, 1_000])
})

test('older pages go behind, up to the bound', () => {
  const rows = addOlder(addLive(noRows, range(900, 1_000), false), range(1, 910).reverse())
  expect(seqs(rows)).toEqual(
    range(1, 1_000)
      .map(({ seq }) => seq)
      .reverse(),
  )
})

test('what came by the tail while the newest page was read stays on top of it', () => {
  const rows = addNewest(addLive(noRows, range(100, 103), false), range(1, 101).reverse(), [], false)
  expect(seqs(rows)).toEqual(
    range(1, 103)
      .map(({ seq }) => seq)
      .reverse(),
  )
})

test('rows from before the page was hidden stay below, unless there is a gap', () => {
  const before = addLive(noRows, range(1, 50), false)
  const joined = addNewest(before, range(41, 60).reverse(), before.shown, false)
  expect(seqs(joined)).toEqual(
    range(1, 60)
      .map(({ seq }) => seq)
      .reverse(),
  )
  const apart = addNewest(addLive(before, [event(91)], false), range(71, 90).reverse(), before.shown, false)
  expect(seqs(apart)).toEqual(
    range(71, 91)
      .map(({ seq }) => seq)
      .reverse(),
  )
})

test('a reader who was further down finds the rows in their places, and what is new as new', () => {
  const before = addLive(noRows, range(1, 50), false)
  const rows = addNewest(before, range(46, 60).reverse(), before.shown, true)
  expect(seqs(rows)).toEqual(seqs(before))
  expect(waitingCount(rows)).toBe(10)
  expect(seqs(release(rows))).toEqual(
    range(1, 60)
      .map(({ seq }) => seq)
      .reverse(),
  )
  const apart = addNewest(before, range(71, 90).reverse(), before.shown, true)
  expect(seqs(release(apart))).toEqual(
    range(71, 90)
      .map(({ seq }) => seq)
      .reverse(),
  )
})
