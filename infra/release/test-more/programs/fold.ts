/** A definition, and a test of it as its author would write it. */
import process from 'node:process'
import { defineProjection, FoldStopped, foldAll } from '@sekali/projection'

const sums = defineProjection({
  name: 'sums',
  topics: 'orders.>',
  initial: { sum: 0n },
  key: ({ source }) => source,
  apply: ({ sum }, { payload: { n } }) => ({ sum: BigInt(sum) + BigInt(n as number | bigint) }),
})

const event = (payload: object | string) => ({ topic: 'orders.eu', source: 'shop', payload })
const states = foldAll(sums, [event({ n: 1 }), event('{"n":9007199254740993}'), event({ n: 2n ** 70n })])
const sum = states.get('shop')?.sum
if (sum !== 2n ** 70n + 9007199254740994n) throw new Error(`the sum is ${sum}`)
try {
  foldAll(sums, [event({ n: 'x' })])
  throw new Error('it did not stop')
} catch (error) {
  if (!(error instanceof FoldStopped)) throw error
}
process.stdout.write('done\n')
