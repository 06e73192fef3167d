/**
 * The commit step alone, without HTTP and Redis, against COPY of the same rows into the same table with the same
 * indexes. Both use one connection and batches of a thousand rows of one topic, a transaction a batch, fsync on. Ours
 * also looks for each event id, numbers the new ones and moves the topic's position.
 */
import { copyIn } from '../rivals/copy.ts'
import { olderCommit } from '../rivals/older.ts'
import type { Row } from '../row.ts'
import { commit } from '../sides/commit.ts'

const events = 100_000

const ours = commit({ name: 'commit', events })

export const commitRow: Row = {
  name: 'commit',
  what: 'rows through the commit step alone',
  against: 'COPY of the same rows',
  unit: 'rows/s',
  ours,
  rival: copyIn({ events }),
  target: { of: 'ratio', better: 'higher', must: 0.8, aim: 1 },
  rounds: 5,
}

/** What event keys cost or save while a log is small. */
export const commitOlderRow: Row = {
  ...commitRow,
  name: 'commit-older',
  against: 'the statements of d25da9c',
  rival: olderCommit({ events }),
  target: { of: 'ratio', better: 'higher', must: 1, aim: 1.1 },
}
