import { expect, test } from 'vitest'
import { lookAll, ownLog, seqsOf } from '../test/looks.ts'

test('the looks take on from one another, in a large topic and over many topics', async () => {
  await using large = await ownLog({ a: 140_000, b: 5 })
  const looks = await lookAll(large)
  expect(looks.length).toBeGreaterThan(1)
  expect(seqsOf(looks)).toBe(140_005)
  await using many = await ownLog(Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`t${n}`, 2])))
  const all = await lookAll(many)
  expect(all.length).toBeGreaterThan(1)
  expect(seqsOf(all)).toBe(1_200)
})
