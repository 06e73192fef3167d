/** Order is kept where events go together. */
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { countOf, numbered, numbersOf } from './arrays.ts'
import { startReceiver, status } from './receiver.ts'
import { ownStack } from './stack.ts'

test('with order source an array has one event of each source, the next one once it is answered', async () => {
  await using stack = await ownStack()
  const open = new Set<number>()
  const overlaps: number[] = []
  const arrived: number[] = []
  await using receiver = await startReceiver((request, response) => {
    const numbers = numbersOf(request)
    const sources = numbers.map((n) => n % 4)
    arrived.push(...numbers)
    if (new Set(sources).size < sources.length) overlaps.push(...sources)
    overlaps.push(...sources.filter((source) => open.has(source)))
    for (const source of sources) open.add(source)
    response.once('close', () => {
      for (const source of sources) open.delete(source)
    })
    const fails = numbers.some((n) => n % 11 === 3) && request.attempt === 1
    setImmediate(() => status(fails ? 500 : 200)(request, response))
  })
  await stack.push('hook', receiver.url, { order: 'source', batchMax: 10 })
  await stack.add(60, (n) => ({ ...numbered(n), source: `s${n % 4}` }))
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }), 30_000)
  expect(overlaps).toEqual([])
  expect(Math.max(...receiver.received.map(countOf))).toBeGreaterThan(1)
  for (const source of upTo(3, 0)) {
    const numbers = arrived.filter((n) => n % 4 === source)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(15)
  }
})

test('with order topic an array has the next events of a topic, and it alone is on its way', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((request, response) =>
    status(numbersOf(request).includes(5) && request.attempt < 3 ? 500 : 200)(request, response),
  )
  await stack.push('hook', receiver.url, { order: 'topic', batchMax: 8 })
  await stack.add(20, numbered)
  await using _dispatcher = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0 }))
  expect(receiver.openMax()).toBe(1)
  expect(receiver.received.map(numbersOf)).toEqual([
    upTo(8),
    ...[1, 2, 3, 4, 5, 5, 6, 7, 8].map((n) => [n]),
    upTo(16, 9),
    upTo(20, 17),
  ])
})
