import type { Appender } from '@sekali/broker/append'
import { BrokerUnavailable } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { expect, test } from 'vitest'
import { createAppendPortions } from '../src/publish/append-portions.ts'

const events = (count: number, chars: number) =>
  Array.from({ length: count }, (_, index) => ({ eventId: `e${index}`, payload: 'x'.repeat(chars) }) as Event)

const appendBy = (appendAll: Appender['appendAll']) => {
  const appendWithPositions: Appender['appendWithPositions'] = async (portion) => ({
    ...(await appendAll(portion)),
    positions: portion.map((_, index) => `${portion.length}-${index}` as Position),
  })
  return createAppendPortions({ appendAll, appendWithPositions })
}

test('a batch goes to Redis in portions, one after the other, in order', async () => {
  const portions: (readonly Event[])[] = []
  let under = 0
  const batch = events(5_000, 1_500)
  const { appendAll } = appendBy(async (portion) => {
    expect(++under).toBe(1)
    portions.push(portion)
    await undefined
    under--
    return { queued: portion.length, failure: undefined }
  })
  const { queued } = await appendAll('a', batch)
  expect(queued).toBe(5_000)
  expect(portions.flat()).toEqual(batch)
  expect(Math.max(...portions.map(({ length }) => length))).toBeLessThanOrEqual(350)
})

test('of batches that one client brings, another has its turn before the next portion', async () => {
  const order: string[] = []
  const clientOf = new Map<Event, string>()
  const { appendAll } = appendBy(async (portion) => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(clientOf.get(portion[0] as Event) as string)
    return { queued: portion.length, failure: undefined }
  })
  const bring = (client: string, count: number) => {
    const batch = events(count, 10)
    for (const event of batch) clientOf.set(event, client)
    return appendAll(client, batch)
  }
  const greedy = Array.from({ length: 8 }, () => bring('greedy', 5_000))
  await bring('modest', 10)
  expect(order.indexOf('modest')).toBeLessThan(6)
  await Promise.all(greedy)
  expect(order).toHaveLength(41)
})

test('the positions of a batch are those of its portions, up to one that fails', async () => {
  const failure = new BrokerUnavailable('away')
  let sent = 0
  const { appendWithPositions } = appendBy(async ({ length }) =>
    ++sent < 3 ? { queued: length, failure: undefined } : { queued: 7, failure },
  )
  const appended = await appendWithPositions('a', events(5_000, 10))
  expect(appended).toMatchObject({ queued: 2_007, failure })
  expect(appended.positions).toHaveLength(3_000)
  expect(appended.positions.slice(999, 1_001)).toEqual(['1000-999', '1000-0'])
})
