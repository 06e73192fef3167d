/**
 * What it costs that Redis keeps what is stored for a time: as it is set by default, against nothing that is kept. Redis has
 * no limit here, so it keeps 128 MiB.
 */
import { reportTopics } from '../events.ts'
import type { Row } from '../row.ts'
import { endToEnd } from '../sides/end-to-end.ts'

const options = { consumers: 2, events: 200_000, topics: reportTopics }

export const keepRow: Row = {
  name: 'keep',
  what: 'events from HTTP until all are accounted for, with what is stored kept in Redis for a time',
  against: 'the same with KEEP_SECONDS=0',
  unit: 'events/s',
  ours: endToEnd({ ...options, name: 'sekali' }),
  rival: endToEnd({ ...options, name: 'sekali, keeping nothing', env: { KEEP_SECONDS: '0' } }),
  target: { of: 'ratio', better: 'higher', must: 0.97 },
  rounds: 8,
  openings: 4,
}
