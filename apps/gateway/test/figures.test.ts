import type { StreamFigures } from '@sekali/broker/streams'
import type { TopicName } from '@sekali/core/event'
import type { TopicFigures } from '@sekali/store/topics'
import { expect, test } from 'vitest'
import { combineFigures } from '../src/operate/figures.ts'

function row(topic: string, figures: Partial<TopicFigures> = {}): TopicFigures {
  const none = { accounted: 0, stored: 0, duplicates: 0, conflicts: 0, dead: 0, lost: 0, seen: 0, headSeq: 0 }
  return { topic: topic as TopicName, group: 'g1', lossAt: null, epoch: 1, ...none, ...figures }
}

function streams(figures: Record<string, [group: string | null, entriesAdded: number | null]>) {
  return new Map<string, StreamFigures>(
    Object.entries(figures).map(([topic, [group, entriesAdded]]) => [
      topic,
      { group, entriesAdded, lastId: null, pending: 0 },
    ]),
  )
}

const orders = row('orders', { accounted: 21, stored: 14, duplicates: 4, conflicts: 2, dead: 1, headSeq: 14 })

test('accepted is what was accounted for and what is in flight [P7]', () => {
  const { totals, topics } = combineFigures([orders], streams({ orders: ['g1', 30] }))
  const figures = { accepted: 30, stored: 14, duplicates: 4, conflicts: 2, dead: 1, lost: 0, inFlight: 9 }
  expect(totals).toEqual(figures)
  expect(topics).toEqual([{ topic: 'orders', ...figures, headSeq: 14, lossAt: null }])
})

test.each([
  ['the same incarnation', row('a', { accounted: 5 }), ['g1', 8], 3],
  ['everything accounted for', row('a', { accounted: 8 }), ['g1', 8], 0],
  ['another incarnation: nothing of it is accounted for', row('a', { accounted: 5 }), ['g2', 8], 8],
  ['a group that is gone: the stream is the same', row('a', { accounted: 5 }), [null, 8], 3],
  ['a row without a turn', row('a', { group: null }), ['g1', 8], 8],
  ['no row yet', undefined, ['g1', 8], 8],
  ['no stream any more', row('a', { accounted: 5 }), undefined, 0],
  ['a key that holds something else', row('a', { accounted: 5 }), [null, null], null],
  ['answers about different moments', row('a', { accounted: 9 }), ['g1', 8], null],
] as const)('in flight, %s', (_, store, stream, inFlight) => {
  const { topics } = combineFigures(store ? [store] : [], streams(stream ? { a: [...stream] } : {}))
  expect(topics?.[0]?.inFlight).toBe(inFlight)
})

test.each([
  ['gone', undefined, 4],
  ['made anew', ['g2', 3], 4],
  ['there, its group or not', [null, 8], 1],
] as const)('what was seen in a stream and not accounted for is lost when it is %s', (_, stream, lost) => {
  const rows = [row('a', { accounted: 5, stored: 5, lost: 1, seen: 8 })]
  const { topics } = combineFigures(rows, streams(stream ? { a: [...stream] } : {}))
  expect(topics?.[0]?.lost).toBe(lost)
})

test('totals are over all topics, which are in order', () => {
  const rows = [row('b', { stored: 2, accounted: 2 }), row('a', { stored: 1, accounted: 1, lost: 1 })]
  const { totals, topics } = combineFigures(rows, streams({ c: ['g3', 5], a: ['g1', 4], b: ['g1', 2] }))
  expect(topics?.map(({ topic, accepted }) => [topic, accepted])).toEqual([
    ['a', 5],
    ['b', 2],
    ['c', 5],
  ])
  expect(totals).toMatchObject({ accepted: 12, stored: 3, lost: 1, inFlight: 8 })
})

const unknown = {
  accepted: null,
  stored: null,
  duplicates: null,
  conflicts: null,
  dead: null,
  lost: null,
  inFlight: null,
}

test('without Redis, what was appended is unknown [P7]', () => {
  const { totals, topics } = combineFigures([orders], undefined)
  const known = { ...unknown, stored: 14, duplicates: 4, conflicts: 2, dead: 1, lost: 0 }
  expect(totals).toEqual(known)
  expect(topics).toEqual([{ topic: 'orders', ...known, headSeq: 14, lossAt: null }])
})

test('without PostgreSQL, only the names of the topics are known', () => {
  const { totals, topics } = combineFigures(undefined, streams({ orders: ['g1', 30] }))
  expect(totals).toEqual(unknown)
  expect(topics).toEqual([{ topic: 'orders', ...unknown, headSeq: null, lossAt: null }])
})

test('without either, nothing is known', () => {
  expect(combineFigures(undefined, undefined)).toEqual({ totals: unknown, topics: null })
})

test('an unknown of one topic makes the total unknown [P7]', () => {
  const rows = [row('a', { accounted: 9, stored: 9 }), row('b')]
  expect(combineFigures(rows, streams({ a: ['g1', 8], b: ['g1', 1] })).totals).toMatchObject({
    accepted: null,
    stored: 9,
    inFlight: null,
  })
})

test('a system that has seen nothing has zeros, not unknowns', () => {
  const { totals, topics } = combineFigures([], streams({}))
  expect(Object.values(totals)).toEqual([0, 0, 0, 0, 0, 0, 0])
  expect(topics).toEqual([])
})
