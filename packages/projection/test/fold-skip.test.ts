/** What a projection may skip, and what it may not. */
import { expect, test } from 'vitest'
import { defineProjection, type Projection } from '../src/define.ts'
import { numbered, run } from './run.ts'

const skipping = defineProjection({
  name: 'skipping',
  topics: 'orders',
  onError: 'skip',
  initial: { seen: [] as unknown[] },
  key({ payload: { n } }) {
    if (Number(n) % 10 === 9) throw new Error('no key')
    return n === 5 ? 'five' : `k${Number(n) % 2}`
  },
  // Changes the state and the event before it throws.
  apply(state, { payload }) {
    const { n } = payload
    state.seen.push(n)
    payload.n = 'changed'
    if (n === 5 || Number(n) % 4 === 0) throw new RangeError(`of ${n}`)
    return Number(n) % 7 === 0 ? (undefined as never) : state
  },
}) as Projection<never>

test('a projection may skip what throws: it comes to what the log without these events would', () => {
  const isSkipped = (n: number) => n % 10 === 9 || n === 5 || n % 4 === 0 || n % 7 === 0
  const numbers = Array.from({ length: 100 }, (_, at) => at + 1)
  const seen = (rest: number) =>
    JSON.stringify({ seen: numbers.filter((n) => !isSkipped(n) && n % 2 === rest) })
  const { states, count, failure, skipped } = run(skipping, numbered(100))
  expect(states).toEqual({ k0: seen(0), k1: seen(1) })
  expect([count, failure]).toEqual([100, undefined])
  expect(skipped).toEqual({
    count: numbers.filter(isSkipped).length,
    last: { event: numbered(100)[99], message: 'RangeError: of 100' },
  })
  let cut: Record<string, string> = {}
  let total = 0
  for (const event of numbered(100)) {
    const one = run(skipping, [event], cut)
    cut = { ...cut, ...one.states }
    total += one.skipped?.count ?? 0
  }
  expect([cut, total]).toEqual([states, skipped?.count])
})

const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (pages: { initial: number; maximum: number }) => object }
}

test.each([
  [
    'the depth of the stack',
    'RangeError: Maximum call stack size exceeded',
    function deep(): never {
      return deep()
    },
  ],
  ['the memory there is', 'RangeError: Array buffer allocation failed', () => new ArrayBuffer(2 ** 52)],
  [
    'the memory for a Buffer',
    'RangeError: Failed to allocate memory',
    () => Buffer.allocUnsafeSlow(Number.MAX_SAFE_INTEGER),
  ],
  [
    'the memory for WebAssembly',
    'RangeError: WebAssembly.Memory(): could not allocate memory',
    // Each sets 4 GiB of addresses aside, until there are no more.
    () => Array.from({ length: 100_000 }, () => new webAssembly.Memory({ initial: 1, maximum: 65_536 })),
  ],
])('what is up to the machine is never skipped: %s', (_, message, wrong) => {
  const apply = (state: never, { seq }: { seq: number }) => (seq === 3 ? (wrong() as never) : state)
  const failed = run({ ...skipping, key: () => 'k', apply } as never, numbered(5))
  expect(failed).toMatchObject({ count: 2, failure: { event: { seq: 3 }, message } })
  expect(failed.skipped).toBeUndefined()
})

test('a definition that does not come to the same again is not folded on', () => {
  let times = 0
  const apply = (state: { n: number }, { seq }: { seq: number }) => {
    if (seq === 3 || ++times > 2) throw new Error('no')
    return state
  }
  expect(run({ ...skipping, key: () => 'k', apply } as never, numbered(5))).toMatchObject({
    count: 0,
    states: {},
    failure: { event: { seq: 1 }, message: expect.stringContaining('not pure') },
  })
})
