/** Look-ups of events that are not there: work that anybody can ask for. */
import { createAppender } from '@sekali/broker/append'
import type { Broker } from '@sekali/broker/connect'
import type { Event, EventId, Source, TopicName } from '@sekali/core/event'
import { origin } from '@sekali/core/position'
import { createLog } from '@sekali/process/log'
import { ownBroker } from '@sekali/testkit/own'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createLookups } from '../src/read/lookups.ts'

const topic = 'backlog' as TopicName
let broker: Broker
beforeAll(async () => {
  broker = await ownBroker()
  const events = Array.from(
    { length: 200 },
    (_, index): Event => ({
      topic,
      eventId: `e${index}` as EventId,
      timestamp: '2026-01-01T00:00:00.000000Z',
      source: 's' as Source,
      payload: JSON.stringify({ filler: 'x'.repeat(15_000) }),
    }),
  )
  await createAppender(broker, () => {}).appendAll(events)
})
afterAll(() => broker[Symbol.asyncDispose]())

const lookups = (lookupMs = 30_000) =>
  createLookups({ broker, log: createLog('gateway', 'silent') }, lookupMs)
const of = (eventId: string) => ({ topic, eventId: eventId as EventId, position: origin })

test('who looks for the same event at the same time waits for one look', async () => {
  const { isInFlight } = lookups()
  const alone = vi.spyOn(broker.redis, 'call')
  expect(await isInFlight('a', of('none'))).toBe(false)
  const calls = alone.mock.calls.length
  alone.mockClear()
  // Two others have the two slots, and one look serves the twenty.
  const others = [isInFlight('b', of('none-1')), isInFlight('b', of('none-2'))]
  const same = Array.from({ length: 20 }, () => isInFlight('a', of('none')))
  expect(await Promise.all(same)).toEqual(same.map(() => false))
  await Promise.all(others)
  expect(alone.mock.calls.length).toBe(3 * calls)
  alone.mockRestore()
})

test('a client that looks for many events that are not there keeps another waiting for one of them at most', async () => {
  const { isInFlight } = lookups()
  let done = 0
  const many = Array.from({ length: 8 }, (_, index) =>
    isInFlight('greedy', of(`none-${index}`)).then(() => done++),
  )
  expect(await isInFlight('modest', of('e23'))).toBe(true)
  expect(done).toBeLessThan(6)
  await Promise.all(many)
})

test('look-ups have a share per client, and what is not known in time is unknown', async () => {
  const { isInFlight } = lookups(100)
  const many = Array.from({ length: 192 }, (_, index) => isInFlight('greedy', of(`none-${index}`)))
  await expect(isInFlight('greedy', of('one-more'))).rejects.toMatchObject({ code: 'client_limit' })
  const other = isInFlight('modest', of('e0'))
  const found = await Promise.all(many)
  expect(found.filter((inFlight) => inFlight === undefined).length).toBeGreaterThan(100)
  await other
  // Their places are free again.
  expect([true, undefined]).toContain(await isInFlight('greedy', of('e0')))
})
