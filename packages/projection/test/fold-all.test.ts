import { expect, test } from 'vitest'
import { customerTotals } from '../../../examples/customer-totals.ts'
import { defineProjection } from '../src/define.ts'
import { FoldStopped, foldAll } from '../src/fold-all.ts'

const paid = (customer: string, total: number, more: object = {}) => ({
  topic: 'orders.eu.paid',
  payload: { customer, total },
  ...more,
})

test('events are folded into a state for each key, those of other topics are passed over', () => {
  const events = [
    paid('c-17', 7, { timestamp: '2025-12-08T12:00:01+02:00' }),
    paid('c-18', 1),
    { ...paid('c-17', 100), topic: 'orders.eu.placed' },
    paid('c-17', 0.1),
  ]
  expect(foldAll(customerTotals, events)).toEqual(
    new Map([
      ['c-17', { orders: 2, cents: 710, last: '2025-12-08T10:00:01.000000Z' }],
      ['c-18', { orders: 1, cents: 100, last: '2025-01-01T00:00:01.000000Z' }],
    ]),
  )
})

const sum = defineProjection({
  name: 'sum',
  topics: 'n',
  initial: { sum: 0n, seqs: [] as number[] },
  apply: ({ sum, seqs }, { payload: { n }, seq }) => {
    if (typeof n !== 'number' && typeof n !== 'bigint') throw new TypeError('n must be a number')
    return { sum: BigInt(sum) + BigInt(n), seqs: [...seqs, seq] }
  },
})
const n = (payload: object | string) => ({ topic: 'n', payload })

test('without keys there is one state, which is the initial one before any event', () => {
  expect(foldAll(sum, [])).toEqual(new Map([['', { sum: 0, seqs: [] }]]))
  const events = [n({ n: 1 }), n('{"n":9007199254740993}'), n({ n: 2n ** 60n }), { ...n({ n: 1 }), seq: 9 }]
  expect(foldAll(sum, events).get('')).toEqual({ sum: 2n ** 60n + 9007199254740995n, seqs: [1, 2, 3, 9] })
})

test('where a projector would stop, that event is thrown, with why', () => {
  const bad = n({ n: 'x' })
  const fold = () => foldAll(sum, [n({ n: 1 }), bad, n({ n: 1 })])
  expect(fold).toThrow(FoldStopped)
  expect(fold).toThrow('a projector would stop at seq 2 of n: TypeError: n must be a number')
  expect(fold).toThrow(expect.objectContaining({ code: 'fold_stopped', event: bad }))
})

test('what the definition threw is the cause, and where the fold refuses a state there is none', () => {
  const boom = new RangeError('boom')
  const causeOf = (definition: Partial<typeof sum>) => {
    try {
      foldAll({ ...sum, ...definition }, [n({ n: 1 })])
    } catch (error) {
      return error instanceof FoldStopped ? error.cause : error
    }
    return 'it did not stop'
  }
  const throws = () => {
    throw boom
  }
  expect(causeOf({ apply: throws })).toBe(boom)
  expect(causeOf({ key: throws })).toBe(boom)
  expect(causeOf({ apply: () => new Map() as never })).toBeUndefined()
})

test('a definition that skips skips, and whoever wants to know is told', () => {
  const skips = { ...sum, onError: 'skip' as const }
  const skipped: unknown[] = []
  const bad = n({ n: 'x' })
  const states = foldAll(skips, [n({ n: 1 }), bad, n({ n: 1 })], {
    onSkip: (event, message) => skipped.push([event, message]),
  })
  expect(states.get('')).toEqual({ sum: 2, seqs: [1, 3] })
  expect(skipped).toEqual([[bad, 'TypeError: n must be a number']])
})

test('a definition and events are checked as a projector and a gateway would', () => {
  expect(() => foldAll({ ...sum, topics: 'a..b' }, [])).toThrow(/topics/)
  for (const topic of [undefined, 7, '', 'orders eu', 'a..b', 'orders.*', 'a'.repeat(200)]) {
    const events = [n({ n: 1 }), { topic: topic as never, payload: {} }]
    expect(() => foldAll(sum, events)).toThrow(/^the topic of event 1 must be 1 to 128 characters/)
  }
  for (const payload of [7, null, undefined, [1], '[]', '{', '7']) {
    expect(() => foldAll(sum, [n(payload as never)])).toThrow(/payload of event 0 must be an object/)
  }
  expect(() => foldAll(sum, [{ ...n({ n: 1 }), timestamp: '2025-12-08' }])).toThrow(/time of event 0 must/)
  expect(() => foldAll({ ...sum, apply: () => new Map() as never }, [n({})])).toThrow(/plain JSON/)
})
