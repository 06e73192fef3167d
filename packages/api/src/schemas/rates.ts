import { outcomesOf } from '@sekali/core/figures'
import * as v from 'valibot'
import { CountOrUnknown, InstantMs, Topic } from './text.ts'

const Values = v.array(v.nullable(v.number()))

const grid = {
  started_at: v.pipe(
    v.nullable(InstantMs),
    v.description('When the first interval began; null while none is over.'),
  ),
  interval_seconds: v.pipe(v.number(), v.minValue(0), v.description('How long each interval is.')),
  newest_seconds: v.pipe(
    v.nullable(v.pipe(v.number(), v.minValue(0))),
    v.description(
      'What the newest value is the mean of. A gateway with many topics leaves intervals out; null while there is none.',
    ),
  ),
}

const ofTopic = { accepted: Values, stored: Values }

/** Events a second in each interval; null where that is not known. */
export const Rates = v.object({
  ...grid,
  accepted: Values,
  ...outcomesOf(() => Values),
  in_flight: v.pipe(v.array(CountOrUnknown), v.description('How many at the end of each interval.')),
})

export const TopicRates = v.object({ ...grid, topic: Topic, ...ofTopic })

export const RatesOfTopics = v.object({
  ...grid,
  topics: v.array(v.object({ topic: Topic, ...ofTopic })),
})

export const exampleRates = {
  started_at: '2025-12-08T10:00:00.000Z',
  interval_seconds: 10,
  newest_seconds: 10.002,
  accepted: [12.5, null, 14],
  stored: [12.4, 12, 14.1],
  duplicates: [0, 0.1, 0],
  conflicts: [0, 0, 0],
  dead: [0, 0, 0],
  lost: [0, 0, 0],
  in_flight: [3, null, 0],
}
