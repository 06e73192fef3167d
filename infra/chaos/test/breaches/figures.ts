import { soundRun, topic } from '../evidence.ts'
import { type Breach, sqlOf, withSql, withStats } from './broken.ts'

/** Runs whose figures do not add up, or contradict SQL or the answers that clients got. */
export const ofFigures: readonly Breach[] = [
  [
    'a duplicate was not counted',
    'accepted = stored',
    /does not balance/,
    () => withStats({ duplicates: 0 }),
  ],
  [
    'something is in flight for good',
    'accepted = stored',
    /balance/,
    () => withStats({ in_flight: 1, accepted: 9 }),
  ],
  [
    'a loss was counted that was none',
    'accepted = stored',
    /orders counts 1 as lost, and nothing was done/,
    () => withStats({ lost: 1, accepted: 9 }),
  ],
  ['a figure is unknown', 'accepted = stored', /in_flight is unknown/, () => withStats({ in_flight: null })],
  [
    'a redelivery was counted as a duplicate',
    'the books, HTTP and SQL agree',
    /duplicates is 2; by the answers it must be 1/,
    () => withStats({ duplicates: 2, accepted: 9 }),
  ],
  [
    'a conflict was counted as a duplicate',
    'the books, HTTP and SQL agree',
    /conflicts is 0|duplicates is 2/,
    () => withStats({ duplicates: 2, conflicts: 0 }),
  ],
  [
    'more was accepted than sent',
    'the books, HTTP and SQL agree',
    /accepted is 10; by the answers it must be from 8 to 9/,
    () => withStats({ accepted: 10, duplicates: 3 }),
  ],
  [
    'an event became a dead letter',
    'the books, HTTP and SQL agree',
    /dead is 1; by the answers it must be 0/,
    () => withSql({ dead: 1, deadRows: 1 }, withStats({ accepted: 9, dead: 1 })),
  ],
  [
    'SQL counts otherwise',
    'the books, HTTP and SQL agree',
    /rows of events differ/,
    () => withSql({ eventRows: 5 }),
  ],
  [
    'a conflict was not kept',
    'the books, HTTP and SQL agree',
    /rows of conflicts/,
    () => withSql({ conflictRows: 0 }),
  ],
  [
    'SQL has another event than HTTP',
    'the log is the same',
    /over HTTP seq 1 is a-1 .*, by SQL seq 1 is b-1/,
    () => {
      const { evidence, log } = soundRun()
      const other = log.map((row) => (row.seq === 1 ? { ...row, id: 'b-1' } : row))
      return { ...evidence, sql: { ...sqlOf(evidence), log: new Map([[topic, other]]) } }
    },
  ],
]
