/**
 * Single-event publishing with one request in a hundred traced, and sent to a collector that throws it away, against the
 * same without a collector, in turns. How much slower it is without a collector than it was before there were traces, a run
 * of one build cannot say.
 */
import type { Row } from '../row.ts'
import { single } from '../sides/single.ts'

const options = { requests: 30_000, consumers: 2 }

export const tracingRow: Row = {
  name: 'tracing',
  what: 'single-event POST /publish, 1 % traced',
  against: 'the same without traces',
  unit: 'requests/s',
  ours: single({ ...options, traced: 0.01 }, 'sekali with traces'),
  rival: single(options, 'sekali'),
  target: { of: 'ratio', better: 'higher', must: 0.95 },
  rounds: 16,
  openings: 8,
}
