/**
 * Many topics, few of them busy, against few topics: the same events through the same kind of system, once over a
 * thousand topics of which ten get nine tenths of the events, once over ten. A topic is a stream, a row and a turn of
 * its own, so this shows what an idle or a nearly idle topic costs.
 */
import type { Row } from '../row.ts'
import { endToEnd } from '../sides/end-to-end.ts'

const events = 60_000
const consumers = 2
const named = (count: number) => Array.from({ length: count }, (_, index) => `topic-${index}`)

export const topicsRow: Row = {
  name: 'topics',
  what: 'end to end over 1,000 topics, 10 of them hot',
  against: 'over 10 topics',
  unit: 'events/s',
  ours: endToEnd({
    name: '1,000 topics',
    consumers,
    events,
    topics: named(1_000),
    hot: { topics: 10, share: 0.9 },
  }),
  rival: endToEnd({ name: '10 topics', consumers, events, topics: named(10) }),
  target: { of: 'ratio', better: 'higher', must: 0.8, aim: 0.95 },
  rounds: 5,
}
