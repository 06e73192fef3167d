/**
 * Single-event publishing with a key, against the same without keys, in turns: the same requests from the same load
 * generator. What a key costs is a look into two maps for each request.
 */
import type { Row } from '../row.ts'
import { single } from '../sides/single.ts'

const options = { requests: 30_000, consumers: 2 }

export const keysRow: Row = {
  name: 'keys',
  what: 'single-event POST /publish with a key',
  against: 'the same where nobody is asked for one',
  unit: 'requests/s',
  ours: single({ ...options, keys: true }, 'sekali with keys'),
  rival: single(options, 'sekali'),
  target: { of: 'ratio', better: 'higher', must: 0.95 },
  rounds: 16,
  openings: 8,
}
