import { expect, test } from 'vitest'
import { eventsOf, repeatsOf, toJson, type Workload } from '../src/events.ts'

const workload: Workload = { seed: 1, events: 2_000, duplicates: 0.3, topics: ['a', 'b', 'c'] }

test('the share of repeats is exact, and a repeat is the same event again', () => {
  const texts = Array.from(eventsOf(workload), toJson)
  expect(texts).toHaveLength(2_000)
  expect(new Set(texts).size).toBe(2_000 - repeatsOf(workload))
  const ids = texts.map((text) => JSON.parse(text).event_id as string)
  expect(new Set(ids).size).toBe(new Set(texts).size)
})

test('the seed decides everything, and another seed shares nothing', () => {
  const texts = (seed: number) => Array.from(eventsOf({ ...workload, seed }), toJson)
  expect(texts(1)).toEqual(texts(1))
  expect(new Set([...texts(1), ...texts(2)]).size).toBe(new Set(texts(1)).size + new Set(texts(2)).size)
})

test('a body has the five fields, and its id is a version 4 UUID', () => {
  const [event] = Array.from(eventsOf(workload), toJson)
  const parsed = JSON.parse(event ?? '')
  expect(Object.keys(parsed)).toEqual(['topic', 'event_id', 'timestamp', 'source', 'payload'])
  expect(parsed.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('hot topics get their share, the others the rest', () => {
  const topics = Array.from({ length: 100 }, (_, index) => `t${index}`)
  const events = [...eventsOf({ ...workload, duplicates: 0, topics, hot: { topics: 10, share: 0.9 } })]
  const hot = events.filter(({ topic }) => topics.indexOf(topic) < 10).length
  expect(hot / events.length).toBeGreaterThan(0.85)
  expect(hot / events.length).toBeLessThan(0.95)
})
