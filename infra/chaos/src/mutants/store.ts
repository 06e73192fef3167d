// Ways to break what PostgreSQL is told and asked.
import type { Mutant } from './mutant.ts'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'no-unique-key',
    breaks: 'the index of keys is not unique',
    edits: [
      {
        file: 'packages/store/migrations/0017_event_keys.sql',
        find: 'CREATE UNIQUE INDEX events_key_unique ON public.events (event_key);',
        replace: 'CREATE INDEX events_key_unique ON public.events (event_key);',
      },
    ],
    test: { project: 'store', file: 'commit', name: 'the unique key refuses' },
  },
  {
    name: 'timestamps-make-conflicts',
    breaks: 'a client that stamps each attempt makes a conflict by trying again',
    edits: [
      {
        file: 'packages/store/src/turn/part.ts',
        find: '(tag ??= contentTagBy(pepper, sameContent, source, payload))',
        replace: '(tag ??= contentTagBy(pepper, sameContent, source, payload + event.timestamp))',
      },
    ],
    test: { project: 'store', file: 'commit', name: 'a repeat with another timestamp' },
  },
  {
    name: 'conflicts-as-duplicates',
    breaks: 'another content under a known id counts as a duplicate',
    edits: [
      {
        file: 'packages/store/src/turn/commit.ts',
        find: 'if (hasSameContent(contentOf(part, item), before)) continue',
        replace: 'if (hasSameContent(before, before)) continue',
      },
    ],
    test: { project: 'consumer', file: 'once', name: 'same id with another content' },
  },
  {
    name: 'last-decides',
    breaks: 'of the events of an id that come in one batch, the last decides what the others are',
    edits: [
      {
        file: 'packages/store/src/turn/commit.ts',
        find: 'contentOf(part, first)',
        replace: 'contentOf(part, received[indices.lastIndexOf(index)] ?? first)',
      },
    ],
    test: { project: 'store', file: 'conflicts', name: 'whatever repeats itself' },
  },
  {
    name: 'json-as-bytes',
    breaks: 'a topic whose repeats are compared by what they mean compares their texts',
    edits: [
      {
        file: 'packages/store/src/turn/turn.ts',
        find: "row.same_content === 'json' ? 'json' : 'bytes'",
        replace: "'bytes'",
      },
    ],
    test: { project: 'store', file: 'same-content', name: 'by bytes, which is usual' },
  },
  {
    name: 'stale-tags',
    breaks: 'a tag from before the topic’s setting changed is compared with those of now',
    edits: [
      {
        file: 'packages/store/src/turn/known.ts',
        find: 'tag === undefined || kindOf(tag) !== turn.sameContent',
        replace: 'tag === undefined',
      },
    ],
    test: { project: 'store', file: 'same-content', name: 'by bytes, which is usual' },
  },
  {
    name: 'numbers-as-doubles',
    breaks: 'JSON is compared by meaning with its numbers rounded to doubles',
    edits: [
      {
        file: 'packages/core/src/text/canonical-json.ts',
        find: 'if (/^-?\\d*[1-9]$/.test(token)) return token',
        replace: 'return String(Number(token))',
      },
    ],
    test: { project: 'core', file: 'canonical-json', name: 'whatever is changed in a value' },
  },
  {
    name: 'squeezed-identity',
    breaks: 'entries beyond the 999th of a millisecond are told apart by their time alone',
    edits: [
      {
        file: 'packages/core/src/log/position.ts',
        find: 'return isSmall && (',
        replace: 'return isSmall || (',
      },
    ],
    test: { project: 'gateway', file: 'receipts', name: 'receipts are exact' },
  },
  {
    name: 'rows-in-the-log',
    breaks: 'sessions let PostgreSQL log the rows that it refuses',
    edits: [
      {
        file: 'packages/store/src/postgres/pool.ts',
        find: "'log_error_verbosity', 'terse'",
        replace: "'lc_messages', 'C'",
      },
    ],
    test: { project: 'consumer', file: 'logs', name: 'an operator who logs what he can' },
  },
  {
    name: 'callers-say-orphaned',
    breaks: 'who may drop a projection says for how long nobody must have folded it',
    edits: [
      {
        file: 'packages/store/migrations/0011_entry_ids.sql',
        find: "greatest(orphaned_after, interval '60 s')",
        replace: 'orphaned_after',
      },
    ],
    test: { project: 'gateway', file: 'roles', name: 'cannot be dropped' },
  },
  {
    name: 'content-for-ever',
    breaks: 'each turn keeps as much content of conflicts as a topic may have',
    edits: [
      {
        file: 'packages/store/src/turn/kept.ts',
        find: 'limits.keptBytesMax - keptBytes - bytes',
        replace: 'limits.keptBytesMax - bytes',
      },
    ],
    test: { project: 'store', file: 'conflicts', name: 'share of bytes' },
  },
  {
    name: 'duplicates-burn-numbers',
    breaks: 'seq counts duplicates as well',
    edits: [
      {
        file: 'packages/store/src/turn/turn.ts',
        find: 'turn.head + result.stored',
        replace: 'turn.head + result.stored + result.duplicates',
      },
    ],
    test: { project: 'store', file: 'commit', name: 'duplicates burn no number' },
  },
  {
    name: 'no-lease',
    breaks: 'a turn does not lock the topic’s row',
    edits: [{ file: 'packages/store/src/turn/turn.ts', find: ' FOR UPDATE SKIP LOCKED', replace: '' }],
    test: { project: 'store', file: 'turns', name: 'a turn is exclusive' },
  },
  {
    name: 'turn-without-end',
    breaks: 'a consumer that sleeps in its turn keeps it for ever',
    edits: [
      {
        file: 'packages/store/src/postgres/connect.ts',
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
        file: 'packages/store/src/turn/commit.ts',
        find: 'const seqs = seqsOf(part, known[partAt]',
        replace: 'const seqs = seqsOf({ ...part, turn: (parts[0] ?? part).turn }, known[partAt]',
      },
    ],
    test: { project: 'store', file: 'turns', name: 'turns of several topics' },
  },
  {
    name: 'receipts-say-stored',
    breaks: 'a receipt says stored for a duplicate, too',
    edits: [
      {
        file: 'packages/store/src/read/outcomes.ts',
        find: 'if (order === 0) return',
        replace: 'if (order === 0 || row.is_same) return',
      },
    ],
    test: { project: 'gateway', file: 'receipts', name: 'exactly one is the stored one' },
  },
  {
    name: 'read-by-time',
    breaks: 'the log is read in the order of the events’ own times',
    edits: [
      {
        file: 'packages/store/src/read/topic.ts',
        find: 'sql`seq ASC` : sql`seq DESC`',
        replace: 'sql`"timestamp" ASC` : sql`"timestamp" DESC`',
      },
    ],
    test: { project: 'gateway', file: 'events', name: 'every event once' },
  },
]
