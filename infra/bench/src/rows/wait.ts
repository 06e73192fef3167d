/**
 * That an append may wait for replicas must cost nothing where it does not: REDIS_REPLICAS_MIN=0, as it is unless set, against
 * the same gateway with that code taken out. By processor time, since rates of one machine differ more than this would.
 */
import type { Row } from '../row.ts'
import { appendCost } from '../sides/append-cost.ts'

const requests = 30_000

export const waitRow: Row = {
  name: 'wait',
  what: 'processor time of gateway and Redis for a single event, with REDIS_REPLICAS_MIN=0',
  against: 'the same without the code that waits for replicas',
  unit: 'µs',
  ours: appendCost({ name: 'sekali', requests, wait: 'off' }),
  rival: appendCost({ name: 'sekali, without that code', requests, wait: 'none' }),
  target: { of: 'ratio', better: 'lower', must: 1.02 },
  rounds: 16,
  openings: 8,
}
