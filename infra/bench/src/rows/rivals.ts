/**
 * The whole of Sekali against what one would build instead: the same events over HTTP into a queue, and from it into
 * PostgreSQL by a consumer that leaves out what is there. The same client and bodies, 30 % repeats, the same PostgreSQL and
 * the same cores. NATS JetStream answers before the disk has the event, as it does unless told otherwise; BullMQ uses our
 * Redis, which does not.
 */
import { reportTopics } from '../events.ts'
import { lacksNats } from '../rivals/queued/nats-server.ts'
import { bullmq, nats, type QueuedOptions } from '../rivals/queued/queued.ts'
import type { Row } from '../row.ts'
import { endToEnd } from '../sides/end-to-end.ts'
import { sekali } from './end-to-end.ts'

const unit = 'events/s'
const common = { unit, rounds: 3 } as const
const inNats = { against: 'HTTP → NATS JetStream → PostgreSQL', lacks: lacksNats } as const
const inBullmq = { against: 'HTTP → BullMQ → PostgreSQL' } as const

const batches = {
  ...common,
  what: 'events in arrays of 500, from the first byte of HTTP until all are accounted for',
  ours: sekali,
  target: { of: 'ratio', better: 'higher', must: 4, aim: 5 },
} as const
const ofBatches: QueuedOptions = { batch: 500, connections: 8, events: 60_000 }

const singles = { batch: 1, connections: 50 } as const
const single = {
  ...common,
  what: 'single events on 50 connections, from the first byte of HTTP until all are accounted for',
  ours: endToEnd({ name: 'sekali', consumers: 2, events: 30_000, topics: reportTopics, ...singles }),
  target: { of: 'ratio', better: 'higher', must: 2, aim: 3 },
} as const
const ofSingles: QueuedOptions = { ...singles, events: 20_000 }

export const rivalsRows: readonly Row[] = [
  { name: 'rivals-nats', ...batches, ...inNats, rival: nats(ofBatches) },
  { name: 'rivals-bullmq', ...batches, ...inBullmq, rival: bullmq({ ...ofBatches, events: 20_000 }) },
  { name: 'rivals-single-nats', ...single, ...inNats, rival: nats(ofSingles) },
  { name: 'rivals-single-bullmq', ...single, ...inBullmq, rival: bullmq({ ...ofSingles, events: 10_000 }) },
]
