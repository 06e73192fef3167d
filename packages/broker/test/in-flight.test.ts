import type { EventId, TopicName } from '@sekali/core/event'
import { origin } from '@sekali/core/position'
import { ownBroker } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { expect, test, vi } from 'vitest'
import { createAppender } from '../src/append/append.ts'
import { isInFlight } from '../src/operate/in-flight.ts'
import { many } from './sample.ts'

test('an event in flight is found wherever in an entry it is, and not by its source', async () => {
  await using broker = await ownBroker()
  await createAppender(broker, () => {}).appendAll(many(40))
  const { signal } = new AbortController()
  const find = (eventId: string) =>
    isInFlight(broker, 'orders' as TopicName, origin, eventId as EventId, signal)
  for (const eventId of ['e0', 'e17', 'e31', 'e32', 'e39']) expect(await find(eventId)).toBe(true)
  for (const eventId of ['e40', 'e', event().source, '7']) expect(await find(eventId)).toBe(false)
})

test('to look for an event that is not there takes little of Redis at a time, and ends when nobody waits', async () => {
  await using broker = await ownBroker()
  const payload = JSON.stringify({ filler: 'x'.repeat(200_000) })
  const large = Array.from({ length: 24 }, (_, index) => event({ eventId: `e${index}`, payload }))
  await createAppender(broker, () => {}).appendAll(large)
  const calls = vi.spyOn(broker.redis, 'call')
  const find = (eventId: string, signal: AbortSignal) =>
    isInFlight(broker, 'orders' as TopicName, origin, eventId as EventId, signal)
  expect(await find('none', AbortSignal.timeout(30_000))).toBe(false)
  expect(calls.mock.calls.length).toBeGreaterThan(8)
  expect(await find('e23', AbortSignal.timeout(30_000))).toBe(true)
  calls.mockClear()
  expect(await find('none', AbortSignal.abort())).toBeUndefined()
  expect(calls).not.toHaveBeenCalled()
})
