/**
 * Four consumers against one, end to end with the five topics. On a machine with few cores more consumers cannot be
 * faster, because the cores are shared with everything else; what this shows is what sharing the topics costs.
 */
import { reportTopics } from '../events.ts'
import type { Row } from '../row.ts'
import { endToEnd } from '../sides/end-to-end.ts'

const events = 60_000

export const consumersRow: Row = {
  name: 'consumers',
  what: 'end to end with 4 consumers',
  against: 'with 1 consumer',
  unit: 'events/s',
  ours: endToEnd({ name: '4 consumers', consumers: 4, events, topics: reportTopics }),
  rival: endToEnd({ name: '1 consumer', consumers: 1, events, topics: reportTopics }),
  target: { of: 'ratio', better: 'higher', must: 0.95, aim: 1 },
  rounds: 2,
}
