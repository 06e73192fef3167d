/**
 * Single-event publishing while the metrics of gateway and consumers are read every second, against the same while nobody
 * reads them, in turns. What is counted is counted in both: there is no setting that ends that. Prometheus reads every 15 s.
 */
import type { Row } from '../row.ts'
import { single } from '../sides/single.ts'

const options = { requests: 30_000, consumers: 2 }

export const metricsRow: Row = {
  name: 'metrics',
  what: 'single-event POST /publish, with metrics read every second',
  against: 'the same while nobody reads them',
  unit: 'requests/s',
  ours: single({ ...options, scrapeEveryMs: 1_000 }, 'sekali, scraped'),
  rival: single(options, 'sekali'),
  target: { of: 'ratio', better: 'higher', must: 0.97 },
  rounds: 16,
  openings: 8,
}
