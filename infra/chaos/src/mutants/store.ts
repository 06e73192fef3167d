// Ways to break what PostgreSQL is told and asked.
import type { Mutant } from './mutant.ts'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'no-unique-key',
    breaks: 'the log has no unique key on topic and event id',
    edits: [
      {
        file: 'packages/store/migrations/0000_log.sql',
        find: ',\n\tCONSTRAINT "events_topic_id_event_id_unique" UNIQUE("topic_id","event_id")',
        replace: '',
      },
    ],
    test: { project: 'store', file: 'commit', name: 'the unique key refuses' },
  },
  {
    name: 'conflicts-as-duplicates',
    breaks: 'another content under a known id counts as a duplicate',
    edits: [
      {
        file: 'packages/store/src/commit.ts',
        find: 'ours.get(place)?.same === false',
        replace: 'ours.get(place)?.same === undefined && false',
      },
    ],
    test: { project: 'consumer', file: 'once', name: 'same id with another content' },
  },
  {
    name: 'duplicates-burn-numbers',
    breaks: 'seq counts duplicates as well',
    edits: [
      {
        file: 'packages/store/src/turn.ts',
        find: 'turn.head + result.stored',
        replace: 'turn.head + result.stored + result.duplicates',
      },
    ],
    test: { project: 'store', file: 'commit', name: 'duplicates burn no number' },
  },
  {
    name: 'no-lease',
    breaks: 'a turn does not lock the topic’s row',
    edits: [{ file: 'packages/store/src/turn.ts', find: ' FOR UPDATE SKIP LOCKED', replace: '' }],
    test: { project: 'store', file: 'commit', name: 'a turn is exclusive' },
  },
  {
    name: 'turn-without-end',
    breaks: 'a consumer that sleeps in its turn keeps it for ever',
    edits: [
      {
        file: 'packages/store/src/connect.ts',
        find: 'idle_in_transaction_session_timeout: idleInTransactionMs',
        replace: 'idle_in_transaction_session_timeout: 0',
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'paused in its turn' },
  },
  {
    name: 'turns-share-a-head',
    breaks: 'the events of all topics of a shared turn are numbered from the head of the first',
    edits: [
      {
        file: 'packages/store/src/commit.ts',
        find: 'let seq = head\n',
        replace: 'let seq = parts[0]?.head ?? head\n',
      },
    ],
    test: { project: 'store', file: 'commit', name: 'turns of several topics' },
  },
  {
    name: 'receipts-say-stored',
    breaks: 'a receipt says stored for a duplicate, too',
    edits: [
      {
        file: 'packages/store/src/outcomes.ts',
        find: 'if (row.is_first) return',
        replace: 'if (row.is_first || row.is_duplicate) return',
      },
    ],
    test: { project: 'gateway', file: 'receipts', name: 'exactly one is the stored one' },
  },
  {
    name: 'read-by-time',
    breaks: 'the log is read in the order of the events’ own times',
    edits: [
      {
        file: 'packages/store/src/read.ts',
        find: 'sql`seq ASC` : sql`seq DESC`',
        replace: 'sql`"timestamp" ASC` : sql`"timestamp" DESC`',
      },
    ],
    test: { project: 'gateway', file: 'events', name: 'every event once' },
  },
]
