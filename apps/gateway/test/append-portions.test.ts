import type { Event } from '@sekali/core/event'
import { expect, test } from 'vitest'
import { createAppendPortions } from '../src/publish/append-portions.ts'

const events = (count: number, chars: number) =>
  Array.from({ length: count }, (_, index) => ({ eventId: `e${index}`, payload: 'x'.repeat(chars) }) as Event)

test('a batch goes to Redis in portions, one after the other, in order', async () => {
  const append = createAppendPortions()
  const portions: (readonly Event[])[] = []
  let under = 0
  const batch = events(5_000, 1_500)
  const { queued } = await append('a', batch, async (portion) => {
    expect(++under).toBe(1)
    portions.push(portion)
    await undefined
    under--
    return { queued: portion.length, failure: undefined }
  })
  expect(queued).toBe(5_000)
  expect(portions.flat()).toEqual(batch)
  expect(Math.max(...portions.map(({ length }) => length))).toBeLessThanOrEqual(350)
})

test('of batches that one client brings, another has its turn before the next portion', async () => {
  const append = createAppendPortions()
  const order: string[] = []
  const bring = (client: string, count: number) =>
    append(client, events(count, 10), async (portion) => {
      await new Promise((resolve) => setImmediate(resolve))
      order.push(client)
      return { queued: portion.length, failure: undefined }
    })
  const greedy = Array.from({ length: 8 }, () => bring('greedy', 5_000))
  await bring('modest', 10)
  expect(order.indexOf('modest')).toBeLessThan(6)
  await Promise.all(greedy)
  expect(order).toHaveLength(41)
})
