// Ways to break the consumer: its turn, and what leads to one.
import type { Mutant } from './mutant.ts'

const turn = 'apps/consumer/src/turn.ts'
const queueTurnEnd =
  'queueTurnEnd(tx, turn, { ...outcome, ...after, dead, kept, group, foundLoss: loss !== undefined })'
const committed = "  if (turns.length > 0) context.at('committed')\n"

/** Runs what `account` leaves in `later` after COMMIT. */
const afterCommit = [
  {
    file: turn,
    find: committed,
    replace: `${committed}  for (const one of later.splice(0)) await one()\n`,
  },
  {
    file: turn,
    find: '/** Where a test may stop',
    replace: 'const later: (() => Promise<unknown>)[] = []\n\n/** Where a test may stop',
  },
]

export const turnMutants: readonly Mutant[] = [
  {
    name: 'ack-before-commit',
    breaks: 'entries are acknowledged and trimmed before COMMIT',
    edits: [
      {
        file: turn,
        find: "      context.at('accounted')\n",
        replace: "      await ackCommitted(context, passes, stored)\n      context.at('accounted')\n",
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'killed when it has accounted' },
  },
  {
    name: 'position-after-commit',
    breaks: 'position and counters are written in a transaction of their own, after the rows',
    edits: [
      ...afterCommit,
      {
        file: turn,
        find: queueTurnEnd,
        replace: `const result = { ...outcome, ...after, dead, kept, group, foundLoss: loss !== undefined }
  later.push(async () => {
    const { withTransaction } = await import('@sekali/store/connect')
    await withTransaction(context.store, 'position', async (other) => queueTurnEnd(other, turn, result))
  })`,
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'killed when it has committed' },
  },
  {
    name: 'counters-after-commit',
    breaks: 'duplicates and conflicts are counted after COMMIT, outside of the transaction',
    edits: [
      ...afterCommit,
      {
        file: turn,
        find: queueTurnEnd,
        replace: `const counted = [outcome.duplicates, outcome.conflicts, turn.topicId]
  later.push(() => context.store.pool.query('UPDATE topics SET duplicates = duplicates + $1, conflicts = conflicts + $2 WHERE id = $3', counted))
  const result = { ...outcome, ...after, dead, kept, group, foundLoss: loss !== undefined, duplicates: 0, conflicts: 0 }
  queueTurnEnd(tx, turn, result)`,
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'figures of a turn' },
  },
  {
    name: 'zombie-writes',
    breaks: 'a consumer that wakes after it has lost its turn writes what it had read',
    edits: [
      {
        file: turn,
        find: '    if (turns.length === 0) throw error\n',
        replace: `    if (passes.length > 0) {
      await withTurns(context.store, request.topics, request.turnsMax, (tx) =>
        account(context, tx, passes, { isSuspect: () => false }),
      )
    }
    if (turns.length === 0) throw error\n`,
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'paused in its turn' },
  },
  {
    name: 'stored-only-if-counted',
    breaks: 'a turn whose count does not grow is taken for one that has read nothing',
    edits: [{ file: 'apps/consumer/src/change.ts', find: '    entries.length === 0 &&\n', replace: '' }],
    test: { project: 'consumer', file: 'redis-faults', name: 'somebody copies' },
  },
  {
    name: 'no-sweep',
    breaks: 'consumers rely on the doorbell, which loses hints',
    edits: [
      {
        file: 'apps/consumer/src/upkeep/sweep.ts',
        find: '    if (isSameAsBefore) queue.add(topic)\n    else if (!isCaughtUp) sharing.offerMarked(topic, before?.has(topic) ?? true)\n',
        replace: '',
      },
      {
        file: 'apps/consumer/src/upkeep/scan.ts',
        find: '    if (!isCaughtUp) sharing.offer(topic, lastId ?? undefined)\n',
        replace: '',
      },
    ],
    test: { project: 'consumer', file: 'redis-faults', name: 'a doorbell that nobody hears' },
  },
  {
    name: 'flood-first',
    breaks: 'topics that have little wait until those that have much have had their turns',
    edits: [
      {
        file: 'apps/consumer/src/schedule.ts',
        find: 'queue.take(offeredMax, (topic) => mayShare(schedule, topic))',
        replace: '[] as TopicName[]',
      },
    ],
    test: { project: 'consumer', file: 'flood', name: 'a quiet topic' },
  },
  {
    name: 'failed-turns-share-again',
    breaks: 'topics of turns that shared a transaction and failed go on to share',
    edits: [{ file: 'apps/consumer/src/schedule.ts', find: '    schedule.alone.add(topic)\n', replace: '' }],
    test: { project: 'consumer', file: 'once', name: 'small topics share' },
  },
]
