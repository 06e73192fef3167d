import { expect, test } from 'vitest'
import { latest } from '../src/built-in/latest.ts'
import { defineProjection, type Projection } from '../src/define.ts'
import { limits } from '../src/limits.ts'
import { events, numbered, run, sum } from './run.ts'

test('events are folded in their order, from the state before', () => {
  expect(run(sum, numbered(3), { '': '{"n":10}' })).toEqual({ count: 3, states: { '': '{"n":16}' } })
  expect(run(sum, numbered(3))).toEqual({ count: 3, states: { '': '{"n":6}' } })
})

test('a fold stops at the event that throws; what apply() did to the state by then is not kept', () => {
  expect(run(sum, numbered(10))).toMatchObject({
    count: 6,
    states: { '': '{"n":21}' },
    failure: { event: { seq: 7 }, message: 'RangeError: seven' },
  })
  expect(run(sum, numbered(10).slice(6))).toMatchObject({
    count: 0,
    states: {},
    failure: { event: { seq: 7 } },
  })
})

test.each([
  ['returns nothing', () => undefined, 'TypeError: apply() must return the state'],
  ['is async', async () => ({}), 'TypeError: apply() must return the state itself, not a promise of it'],
  ['keeps a Date', () => ({ at: new Date(0) }), 'its "at" is a Date'],
  ['keeps NaN', () => [Number.NaN], 'its "0" is NaN'],
  ['keeps a Map', () => new Map(), 'it is a Map'],
  ['keeps too much', () => 'x'.repeat(limits.stateBytesMax), 'is larger than'],
  ['throws no Error', () => Promise.reject('secret'), 'promise'],
])('a projection that %s from the fifth event on fails at the fifth', (_, wrong, message) => {
  const projection = {
    ...sum,
    apply: (state: never, { seq }: { seq: number }) => (seq < 5 ? state : wrong()) as never,
  }
  const failed = run(projection, numbered(9))
  expect(failed).toMatchObject({
    count: 4,
    failure: { event: { seq: 5 }, message: expect.stringContaining(message) },
  })
})

test('what a fold comes to does not depend on where its batches are cut', () => {
  const shared = { n: 0 }
  const appliers: Record<string, (state: never, n: number) => unknown> = {
    'a member that is undefined': (state: object, n) =>
      n === 1 ? { x: undefined } : { had: [...((state as { had?: boolean[] }).had ?? []), 'x' in state] },
    'undefined in an array, and a hole': (state: { list?: unknown[] }, n) => ({
      // biome-ignore lint/suspicious/noSparseArray: that is the point
      list: n === 2 ? [undefined, , 1] : (state.list ?? []).map((one) => one === null),
    }),
    'one object in two places': (state: { a?: { n: number }; b?: { n: number } }, n) => {
      if (state.a === undefined) {
        const one = { n }
        return { a: one, b: one }
      }
      state.a.n += n
      return state
    },
    'an object of the definition itself': (state: { n?: number }, n) => {
      if (n === 2) return shared
      state.n = (state.n ?? 0) + n
      return state
    },
    'a small bigint': (state: { n?: unknown }, n) =>
      n % 2 === 1 ? { n: BigInt(n) } : { was: typeof state.n },
    'a large double': (state: { n?: unknown }, n) => (n % 2 === 0 ? { n: 2 ** 60 } : { was: typeof state.n }),
    'minus zero': (state: { n?: number }, n) => (n === 2 ? { n: -0 } : { sign: 1 / (state.n ?? 1), n: 1 }),
    'a member called __proto__': (state: object, n) => ({
      ...state,
      [`n${n}`]: 'n' in state,
      ['__proto__']: { n },
    }),
    null: (state, n) => (n === 2 ? null : { was: state }),
    'a state that is too large for a while': (_, n) => (n === 2 ? 'x'.repeat(limits.stateBytesMax) : n),
    'a state that is no JSON for a while': (_, n) => (n === 2 ? { at: new Date(0) } : n),
  }
  for (const [what, apply] of Object.entries(appliers)) {
    const projection = {
      ...sum,
      initial: {},
      apply: (state: never, { payload }: { payload: { n: number } }) => apply(state, payload.n),
    } as unknown as Projection<never>
    const whole = run(projection, numbered(4))
    let cut: ReturnType<typeof run> = { count: 0, states: {} }
    for (const event of numbered(4)) {
      const { states, count, ...rest } = run(projection, [event], cut.states)
      cut = { ...rest, count: cut.count + count, states: { ...cut.states, ...states } }
      if (cut.failure !== undefined) break
    }
    expect(whole, what).toEqual(cut)
  }
})

test('a sum goes on as a number where a double no longer holds every whole number', () => {
  const { states, failure } = run({ ...sum, initial: { n: 2 ** 60 } } as never, numbered(3))
  expect([states, failure]).toEqual([{ '': '{"n":1.152921504606847e+18}' }, undefined])
})

test('a promise where none is wanted is refused, and its failure ends nothing', async () => {
  const seen: unknown[] = []
  const listener = (reason: unknown) => seen.push(reason)
  process.on('unhandledRejection', listener)
  const fails = async () => {
    throw new Error('later')
  }
  const wrong = [
    { key: fails },
    { apply: fails },
    { apply: () => ({ in: [fails()] }) },
    {
      apply: () => {
        throw fails()
      },
    },
  ]
  for (const part of wrong) {
    expect(run({ ...sum, ...part } as never, numbered(2))).toMatchObject({
      count: 0,
      failure: { event: { seq: 1 } },
    })
  }
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listener)
  expect(seen).toEqual([])
})

test('with keys there is a state for each; an event without one is passed over; a bad key stops the fold', () => {
  const byCustomer = defineProjection({
    name: 'by-customer',
    topics: 'orders',
    initial: 0,
    key: ({ payload: { customer } }) => customer as string | undefined,
    apply: (count) => count + 1,
  }) as Projection<never>
  const stored = events(
    '{"customer":"a"}',
    '{"customer":"b"}',
    '{}',
    '{"customer":"a"}',
    '{"customer":""}',
    '{}',
  )
  expect(run(byCustomer, stored, { a: '40' })).toMatchObject({
    count: 4,
    states: { a: '42', b: '1' },
    failure: { event: { seq: 5 }, message: expect.stringMatching(/^TypeError: a key has 1 to 512/) },
  })
})

test('the latest event of each key is kept, and its big numbers', () => {
  const stored = events('{"key":7,"n":1}', '{"n":2}', '{"key":7,"n":12345678901234567890}')
  const { states } = run(latest as Projection<never>, stored)
  expect(Object.keys(states)).toEqual(['orders 7', 'orders shop'])
  expect(states['orders 7']).toContain('"payload":{"key":7,"n":12345678901234567890},"seq":3}')
})
