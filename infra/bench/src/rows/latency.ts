/**
 * From publish until a query shows it, at half of the throughput that the same system had a moment before, against
 * the commit of a single event on an idle machine: what is between the two is batching, queueing and the way through
 * Redis. Events come 100 a request in both. A reader asks for news of one of the five topics every 5 ms; what it takes,
 * and that it looks only so often, is in the figure.
 */
import { oneRow } from '../rivals/one-row.ts'
import type { Row } from '../row.ts'
import { latency } from '../sides/latency.ts'

export const latencyRow: Row = {
  name: 'latency',
  what: 'publish until visible to a query, p99 at half of the throughput',
  against: 'the commit of one row alone, p99',
  unit: 'ms',
  ours: latency({ consumers: 2 }),
  rival: oneRow,
  target: { of: 'value', better: 'lower', must: 40, aim: 25 },
  rounds: 3,
}
