import { expectTypeOf, test } from 'vitest'
import { type AsRead, defineProjection, type Json, type Projection } from '../src/define.ts'
import { foldAll } from '../src/fold-all.ts'

const totals = defineProjection({
  name: 'totals',
  topics: 'orders',
  initial: { cents: 0n, last: '', seqs: [] as bigint[], more: null as Json },
  apply(state, { seq, source }) {
    expectTypeOf(state.cents).toEqualTypeOf<number | bigint>()
    expectTypeOf(state.seqs).toEqualTypeOf<(number | bigint)[]>()
    if (source === '') return state
    return { ...state, cents: BigInt(state.cents) + 1n, seqs: [...state.seqs, seq], last: source }
  },
})

// Of several definitions one makes a list.
const all: readonly Projection[] = [totals]

test('a bigint of a state is a number or a bigint where it comes back', () => {
  const states = foldAll(totals, [{ topic: 'orders', payload: {} }])
  type State = { cents: number | bigint; last: string; seqs: (number | bigint)[]; more: Json }
  expectTypeOf(states).toEqualTypeOf<Map<string, State>>()
  expectTypeOf(all).items.toEqualTypeOf<Projection>()
  expectTypeOf<AsRead<Json>>().toEqualTypeOf<Json>()
  expectTypeOf<AsRead<{ n: number; of?: readonly string[] }>>().toEqualTypeOf<{
    n: number
    of?: readonly string[]
  }>()
})
