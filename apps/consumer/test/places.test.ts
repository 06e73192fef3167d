import { channelOf, channelsCount } from '@sekali/broker/channels'
import type { TopicName } from '@sekali/core/event'
import { expect, test } from 'vitest'
import { createPlaces, type Places } from '../src/sharing/places.ts'

const topics = Array.from({ length: 2_000 }, (_, n) => `topic-${n}` as TopicName)
const named = (count: number) => Array.from({ length: count }, (_, n) => `consumer-${n + 1}`)

/** What each of these consumers finds, when it knows that all of them are there. */
const placesOf = (names: readonly string[]): Map<string, Places> =>
  new Map(
    names.map((name) => {
      const places = createPlaces(name)
      places.update(names)
      return [name, places]
    }),
  )

const holders = (all: ReadonlyMap<string, Places>, topic: TopicName, place: string) =>
  [...all].filter(([, places]) => places.of(topic) === place).map(([name]) => name)

test('each topic has one preferred consumer and one deputy, as all of them see it', () => {
  const all = placesOf(named(16))
  for (const topic of topics) {
    expect(holders(all, topic, 'preferred')).toHaveLength(1)
    expect(holders(all, topic, 'deputy')).toHaveLength(1)
  }
  const shares = [...all.values()].map(
    (places) => topics.filter((topic) => places.of(topic) === 'preferred').length,
  )
  // 125 each, if chance were fair.
  expect(Math.min(...shares)).toBeGreaterThan(40)
  expect(Math.max(...shares)).toBeLessThan(250)
})

test('a consumer listens to the channels of its topics, and to no others', () => {
  for (const places of placesOf(named(5)).values()) {
    const channels = new Set(places.channels())
    for (const topic of topics) expect(channels.has(channelOf(topic))).toBe(places.of(topic) !== 'none')
    expect(channels.size).toBeLessThan(channelsCount)
  }
})

test('when one leaves, its topics go to their deputies, and no others change hands', () => {
  const all = placesOf(named(8))
  const before = new Map(
    topics.map((topic) => [
      topic,
      { preferred: holders(all, topic, 'preferred')[0], deputy: holders(all, topic, 'deputy')[0] },
    ]),
  )
  const left = 'consumer-3'
  all.delete(left)
  for (const places of all.values()) expect([places.remove(left), places.remove(left)]).toEqual([true, false])
  for (const [topic, { preferred, deputy }] of before) {
    expect(holders(all, topic, 'preferred')).toEqual([preferred === left ? deputy : preferred])
  }
})

test('a consumer that knows of no other has all topics, and never takes itself for gone', () => {
  const places = createPlaces('one')
  expect([places.isAlone, places.update(['two']), places.isAlone]).toEqual([true, true, false])
  expect([places.update(['two', 'one']), places.remove('one')]).toEqual([false, false])
  expect([places.update([]), places.isAlone]).toEqual([true, true])
  expect(topics.every((topic) => places.of(topic) === 'preferred')).toBe(true)
})
