/**
 * The whole of Sekali, from HTTP to the commit, against the least that keeping those events in this table can cost:
 * COPY, which has the machine to itself. Ours counts events, 30 % of which are repeats that COPY is spared: it gets
 * as many rows as ours stores of them. The JSON file has ours in stored rows per second, too.
 */
import { copyIn } from '../rivals/copy.ts'
import type { Row } from '../row.ts'
import { sekali } from './end-to-end.ts'

export const wholeRow: Row = {
  name: 'whole',
  what: 'the same events per second, end to end',
  against: 'COPY alone on the machine',
  unit: 'events/s',
  ours: sekali,
  rival: copyIn({ events: 140_000 }),
  target: { of: 'ratio', better: 'higher', must: 0.45, aim: 0.6 },
  rounds: 3,
}
