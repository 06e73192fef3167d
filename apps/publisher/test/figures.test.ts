import type { Stats, TopicFigures } from '@sekali/client/answers'
import { expect, test } from 'vitest'
import { knownFigures, nothing } from '../src/balance/figures.ts'

const order: TopicFigures = {
  ...nothing,
  topic: 'order',
  accepted: 3,
  stored: 2,
  in_flight: 1,
  loss_at: null,
  head_seq: 2,
}

function stats(changes: Partial<Stats>): Stats {
  return {
    performance_metrics: { uptime_seconds: 1, throughput_rps: 3 },
    traffic_stats: { total_received_api: 3, duplicates_dropped_consumer: 0 },
    database_stats: { unique_events_stored: 2 },
    totals: order,
    oldest_in_flight_seconds: 0.5,
    open_letters: { entries: 0, conflicts: 0, deliveries: 0 },
    topics: [order],
    consumers: [],
    ...changes,
  }
}

test('a topic that Sekali has not seen yet has only zeros', () => {
  const known = knownFigures(stats({}), ['order', 'payment'])
  expect(known?.get('order')).toMatchObject({ accepted: 3, in_flight: 1 })
  expect(known?.get('payment')).toEqual(nothing)
})

test('with anything unknown there are no figures at all', () => {
  const unknown = { ...order, in_flight: null, accepted: null }
  expect(knownFigures(stats({ topics: [unknown] }), ['order'])).toBeUndefined()
  expect(knownFigures(stats({ totals: unknown }), ['payment'])).toBeUndefined()
  expect(knownFigures(stats({ topics: [unknown] }), ['payment'])).toBeDefined()
})

test('without any server there is no list of topics either', () => {
  const nowhere = { ...nothing, stored: null, in_flight: null }
  expect(knownFigures(stats({ totals: nowhere, topics: null, consumers: null }), ['order'])).toBeUndefined()
})
