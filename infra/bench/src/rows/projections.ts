/**
 * A projector that folds a backlog into a thousand keys, against the commit step that stored it: the same number of
 * events, one connection and a thousand events a transaction each. That is the rate that matters: below 1, a log that
 * grows as fast as it can leaves its projections behind; above 1, a rebuild always catches up. Both are processes with
 * PostgreSQL to themselves.
 */
import type { Row } from '../row.ts'
import { commit } from '../sides/commit.ts'
import { folding } from '../sides/projections.ts'

const events = 100_000

export const projectionsRow: Row = {
  name: 'projections',
  what: 'events that a projector folds of a backlog, into 1,000 keys',
  against: 'the commit step alone',
  unit: 'events/s',
  ours: folding({ events }),
  rival: commit({ name: 'commit', events }),
  target: { of: 'ratio', better: 'higher', must: 0.7, aim: 1 },
  rounds: 3,
}
