import { outcomesOf } from '@sekali/core/figures'
import * as v from 'valibot'
import { Count, CountOrUnknown, Epoch, Instant, InstantMs, Topic } from './text.ts'

/** accepted = stored + duplicates + conflicts + dead + lost + in_flight; `null` is what cannot be known now. */
const figures = {
  accepted: CountOrUnknown,
  ...outcomesOf(() => CountOrUnknown),
  in_flight: CountOrUnknown,
}

const Consumer = v.object({
  name: v.string(),
  started_at: InstantMs,
  last_turn_at: v.nullable(InstantMs),
  turns: v.number(),
})

const TopicFigures = v.object({
  topic: Topic,
  ...figures,
  head_seq: v.pipe(CountOrUnknown, v.description('The seq of its last event.')),
  epoch: v.optional(v.pipe(Epoch, v.description('Of its log, once that was restored from a backup.'))),
  loss_at: v.pipe(v.nullable(Instant), v.description('When Redis was last found to have lost data of it.')),
})

export const Stats = v.object({
  performance_metrics: v.pipe(
    v.object({ uptime_seconds: v.number(), throughput_rps: v.nullable(v.number()) }),
    v.description(
      'Of this gateway alone: events that it accepted a second since it started; null for a key of some topics.',
    ),
  ),
  traffic_stats: v.object({
    total_received_api: CountOrUnknown,
    duplicates_dropped_consumer: CountOrUnknown,
  }),
  database_stats: v.object({ unique_events_stored: CountOrUnknown }),
  totals: v.pipe(v.object(figures), v.description('Of all topics, whichever are on the page.')),
  oldest_in_flight_seconds: v.pipe(
    v.nullable(v.number()),
    v.description('For how long what waits longest to be stored has waited; 0 if nothing is in flight.'),
  ),
  open_letters: v.pipe(
    v.nullable(v.object({ entries: Count, conflicts: Count, deliveries: Count })),
    v.description('Dead letters that nobody has dealt with, by kind. Null while PostgreSQL does not answer.'),
  ),
  topics: v.pipe(
    v.nullable(v.array(TopicFigures)),
    v.description('Null while neither Redis nor PostgreSQL answers.'),
  ),
  consumers: v.pipe(
    v.nullable(v.array(Consumer)),
    v.description('Null while Redis does not answer, and for a key that is not for all topics.'),
  ),
})

const exampleFigures = {
  accepted: 3,
  stored: 2,
  duplicates: 1,
  conflicts: 0,
  dead: 0,
  lost: 0,
  in_flight: 0,
}

export const exampleStats = {
  performance_metrics: { uptime_seconds: 60.5, throughput_rps: 0.05 },
  traffic_stats: { total_received_api: 3, duplicates_dropped_consumer: 1 },
  database_stats: { unique_events_stored: 2 },
  totals: exampleFigures,
  oldest_in_flight_seconds: 0,
  open_letters: { entries: 0, conflicts: 0, deliveries: 0 },
  topics: [{ topic: 'orders.eu.paid', ...exampleFigures, head_seq: 2, loss_at: null }],
  consumers: [
    {
      name: 'consumer-1',
      started_at: '2025-12-08T09:59:00.000Z',
      last_turn_at: '2025-12-08T10:00:00.110Z',
      turns: 3,
    },
  ],
}
