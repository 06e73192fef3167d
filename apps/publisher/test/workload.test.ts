import { expect, test } from 'vitest'
import { reportTopics } from '../src/load/payloads.ts'
import { type Sending, sendings, type Workload } from '../src/load/workload.ts'

const workload: Workload = { seed: 'test', events: 20_000, repeats: 6_000, topics: reportTopics }
const sent = [...sendings(workload)]
const bytes = (sending: Sending) => JSON.stringify(sending.event)

test('of 20,000 events exactly 6,000 repeat another one and 14,000 are unique', () => {
  expect(sent).toHaveLength(20_000)
  expect(sent.filter(({ isRepeat }) => isRepeat)).toHaveLength(6_000)
  expect(new Set(sent.map(({ event }) => `${event.topic} ${event.event_id}`)).size).toBe(14_000)
})

test.each([
  [1, 0],
  [2, 1],
  [7, 0],
  [10, 9],
  [1_000, 999],
  [1_001, 500],
])('of %i events exactly %i are repeats', (events, repeats) => {
  const all = [...sendings({ ...workload, events, repeats })]
  expect(all).toHaveLength(events)
  expect(new Set(all.map(({ event }) => event.event_id)).size).toBe(events - repeats)
})

test('a repeat is its original to the byte, in the same topic, and comes after it', () => {
  const firsts = new Map<string, string>()
  for (const sending of sent) {
    const first = firsts.get(sending.event.event_id)
    expect(first !== undefined).toBe(sending.isRepeat)
    if (first === undefined) firsts.set(sending.event.event_id, bytes(sending))
    else expect(bytes(sending)).toBe(first)
  }
})

test('some repeats are on the wire with their original, and others come much later', () => {
  const sentAt = new Map<string, number>()
  const distances = sent.flatMap(({ event, isRepeat }, i) => {
    if (!isRepeat) sentAt.set(event.event_id, i)
    return isRepeat ? [i - Number(sentAt.get(event.event_id))] : []
  })
  expect(distances.filter((distance) => distance === 1).length).toBeGreaterThan(10)
  expect(distances.filter((distance) => distance <= 25).length).toBeGreaterThan(1_000)
  expect(distances.filter((distance) => distance > 5_000).length).toBeGreaterThan(1_000)
})

test('the same seed gives the same workload', () => {
  expect([...sendings(workload)].map(bytes)).toEqual(sent.map(bytes))
})

test('another seed shares no event id', () => {
  const ids = new Set(sent.map(({ event }) => event.event_id))
  const others = [...sendings({ ...workload, seed: 'other' })]
  expect(others.filter(({ event }) => ids.has(event.event_id))).toEqual([])
})

test('a longer run of a seed has the shorter one’s events, and fewer topics do not change an event', () => {
  const firsts = (all: Sending[]) => new Map(all.map((sending) => [sending.event.event_id, bytes(sending)]))
  const longer = firsts([...sendings({ ...workload, events: 30_000, repeats: 0 })])
  for (const [id, event] of firsts(sent)) expect(longer.get(id)).toBe(event)
  const payments = sent.filter(({ event }) => event.topic === 'payment')
  const only = firsts([...sendings({ ...workload, topics: ['payment'] })])
  for (const sending of payments) expect(only.get(sending.event.event_id)).toBe(bytes(sending))
})

test('it goes to the five topics of the report, about evenly, from twenty sources', () => {
  const topics = Map.groupBy(sent, ({ event }) => event.topic)
  expect([...topics.keys()].sort()).toEqual(['notifikasi', 'order', 'payment', 'sensor-suhu', 'user-login'])
  for (const events of topics.values()) expect(events.length).toBeGreaterThan(3_500)
  expect(new Set(sent.map(({ event }) => event.source)).size).toBe(20)
})

test('every source numbers its own events from 1 without a gap', () => {
  const originals = sent.filter(({ isRepeat }) => !isRepeat).map(({ event }) => event)
  for (const events of Map.groupBy(originals, ({ source }) => source).values()) {
    expect(events.map(({ payload }) => payload.source_seq)).toEqual(events.map((_, i) => i + 1))
  }
})

test('payloads and times differ from event to event', () => {
  const originals = sent.filter(({ isRepeat }) => !isRepeat).map(({ event }) => event)
  expect(new Set(originals.map(({ timestamp }) => timestamp)).size).toBe(14_000)
  for (const { timestamp } of originals) expect(timestamp).toMatch(/^2025-\d\d-\d\dT[\d:]{8}\.\d{6}\+00:00$/)
  const payments = originals.filter(({ topic }) => topic === 'payment')
  expect(new Set(payments.map(({ payload }) => payload.amount)).size).toBeGreaterThan(1_500)
})

test('a workload is made while it is sent, not before', () => {
  const endless = sendings({ ...workload, events: 100_000_000, repeats: 30_000_000 })
  expect(endless.next().value?.event.event_id).toBe('test-0000000')
})
