// Where the code moves on, these texts move with it: test/mutants.test.ts fails when one does not apply any more.
import type { Mutant } from './mutant.ts'

const turn = 'apps/consumer/src/turn.ts'
const endTurn = 'endTurn(tx, turn, { ...outcome, ...after, dead, group, foundLoss: loss !== undefined })'
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

export const mutants: readonly Mutant[] = [
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
    name: 'ack-before-commit',
    breaks: 'entries are acknowledged and trimmed before COMMIT',
    edits: [
      {
        file: turn,
        find: "      context.at('accounted')\n",
        replace: "      await tidy(context, heads)\n      context.at('accounted')\n",
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
        find: endTurn,
        replace: `const result = { ...outcome, ...after, dead, group, foundLoss: loss !== undefined }
  later.push(async () => {
    const { withTransaction } = await import('@sekali/store/connect')
    await withTransaction(context.store, 'position', async (other) => endTurn(other, turn, result))
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
        find: endTurn,
        replace: `const counted = [outcome.duplicates, outcome.conflicts, turn.topicId]
  later.push(() => context.store.pool.query('UPDATE topics SET duplicates = duplicates + $1, conflicts = conflicts + $2 WHERE id = $3', counted))
  const result = { ...outcome, ...after, dead, group, foundLoss: loss !== undefined, duplicates: 0, conflicts: 0 }
  endTurn(tx, turn, result)`,
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'figures of a turn' },
  },
  {
    name: 'no-contiguity-peek',
    breaks: 'what XREADGROUP gives is taken as what follows the position',
    edits: [
      {
        file: 'packages/broker/src/turn.ts',
        find: 'read.firstAfter !== read.entries[0]?.position',
        replace: 'false',
      },
    ],
    test: { project: 'broker', file: 'turn', name: 'read that was not committed' },
  },
  {
    name: 'reclaim-without-setid',
    breaks: 'a reclaim does not set the group back to the position',
    edits: [
      {
        file: 'packages/broker/src/reclaim.ts',
        find: "redis.xgroup('SETID', key, group, position)",
        replace: 'redis.ping()',
      },
    ],
    test: { project: 'broker', file: 'turn', name: 'read that was not committed' },
  },
  {
    name: 'new-stream-from-its-end',
    breaks: 'a stream is read from where it ends when it is first seen (`$`), not from its beginning (`0`)',
    edits: [
      {
        file: 'packages/broker/src/turn.ts',
        find: 'group: found, ...beginning }',
        replace: 'group: found, ...beginning, position: (Date.now() + "-0") as Position }',
      },
    ],
    test: { project: 'consumer', file: 'once', name: 'before the first consumer came' },
  },
  {
    name: 'lost-group-from-its-end',
    breaks:
      'a group that is gone is made again at `$`, and nobody peeks (with the peek it would be set back)',
    edits: [
      {
        file: 'packages/broker/src/turn.ts',
        find: "redis.xgroup('CREATE', streamKey(broker, place.topic), group, place.position)",
        replace: "redis.xgroup('CREATE', streamKey(broker, place.topic), group, '$')",
      },
      {
        file: 'packages/broker/src/turn.ts',
        find: 'read.firstAfter !== read.entries[0]?.position',
        replace: 'false',
      },
    ],
    test: { project: 'consumer', file: 'redis-faults', name: 'destroyed consumer group' },
  },
  {
    name: 'trim-past-the-position',
    breaks: 'the stream is trimmed up to its end instead of up to the position',
    edits: [
      {
        file: 'packages/broker/src/settle.ts',
        find: 'read: { place, entries }, head }',
        replace: 'read: { place, entries, lastId }, head }',
      },
      { file: 'packages/broker/src/settle.ts', find: "'~', head.position", replace: "'~', lastId" },
    ],
    test: { project: 'consumer', file: 'once', name: 'trimmed below the position' },
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
    name: 'driver-sends-again',
    breaks: 'the Redis client keeps appends over a reconnect and sends them again by itself',
    edits: [
      {
        file: 'packages/broker/src/connect.ts',
        find: 'autoResendUnfulfilledCommands: false,\n  maxRetriesPerRequest: 0,',
        replace: 'autoResendUnfulfilledCommands: true,\n  maxRetriesPerRequest: null,',
      },
    ],
    test: { project: 'broker', file: 'append', name: 'whose connection is cut' },
  },
  {
    name: 'retry-under-another-id',
    breaks: 'the client gives an event another id when it sends it again after a timeout',
    edits: [
      {
        file: 'packages/client/src/publish.ts',
        find: "{ method: 'POST', headers, body }",
        replace: `{
    method: 'POST',
    headers,
    get body() {
      return body.replace('"event_id":"', () => \`"event_id":"\${Math.random()}-\`)
    },
  }`,
      },
    ],
    test: { project: 'client', file: 'client', name: 'stays the same to the byte' },
  },
  {
    name: 'gateway-appends-again',
    breaks: 'the gateway repeats an append that got no answer: one request, two entries',
    edits: [
      {
        file: 'apps/gateway/src/publish.ts',
        find: 'await deps.appender.append(event)\n',
        replace: `await deps.appender.append(event).catch(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200))
    await deps.appender.append(event)
  })\n`,
      },
    ],
    test: { project: 'chaos', file: 'replies', name: 'swallowed' },
  },
  {
    name: 'yes-before-redis',
    breaks: 'the gateway answers yes before Redis has the event',
    edits: [
      {
        file: 'apps/gateway/src/publish.ts',
        find: 'await deps.appender.append(event)\n',
        replace: 'deps.appender.append(event).catch(() => undefined)\n',
      },
    ],
    test: { project: 'gateway', file: 'door', name: 'without Redis an event is refused' },
  },
  {
    name: 'no-lease',
    breaks: 'a turn does not lock the topic’s row',
    edits: [{ file: 'packages/store/src/turn.ts', find: ' FOR UPDATE SKIP LOCKED', replace: '' }],
    test: { project: 'store', file: 'commit', name: 'a turn is exclusive' },
  },
  {
    name: 'zombie-writes',
    breaks: 'a consumer that wakes after it has lost its turn writes what it had read',
    edits: [
      {
        file: turn,
        find: '    if (turns.length === 0) throw error\n',
        replace: `    if (passes.length > 0) {
      const { withTransaction } = await import('@sekali/store/connect')
      await withTransaction(context.store, 'zombie', (tx) =>
        account(context, tx, passes, { isSuspect: () => false }),
      )
    }
    if (turns.length === 0) throw error\n`,
      },
    ],
    test: { project: 'consumer', file: 'crash', name: 'paused in its turn' },
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
  {
    name: 'tail-skips-one',
    breaks: 'a tail that comes again begins one event after its cursor',
    edits: [
      {
        file: 'apps/gateway/src/ring.ts',
        find: 'after: (id) => ordinalAfter.get(id),',
        replace: 'after: (id) => (ordinalAfter.has(id) ? (ordinalAfter.get(id) ?? 0) + 1 : undefined),',
      },
    ],
    test: { project: 'gateway', file: 'tail-restart', name: 'adds up to the log' },
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
    name: 'payload-parsed-and-printed',
    breaks: 'a payload goes through JSON.parse and JSON.stringify',
    edits: [
      {
        file: 'packages/core/src/event.ts',
        find: '    payload: payload.text,',
        replace: '    payload: JSON.stringify(JSON.parse(payload.text)),',
      },
    ],
    test: { project: 'gateway', file: 'events', name: 'character for character' },
  },
  {
    name: 'silent-loss',
    breaks: 'what was seen of a stream that is gone is not counted as lost',
    edits: [
      {
        file: 'packages/broker/src/place.ts',
        find: 'lost: vanished + (isAnew ? unread : 0)',
        replace: 'lost: vanished',
      },
    ],
    test: { project: 'consumer', file: 'redis-faults', name: 'what was seen in a stream that is gone' },
  },
  {
    name: 'nobody-vouches',
    breaks: 'a gateway does not vouch for what it acknowledged when Redis comes back without it',
    edits: [
      { file: 'packages/broker/src/registry.ts', find: 'acknowledged.of(topic)', replace: 'undefined' },
    ],
    test: { project: 'broker', file: 'turn', name: 'torn append-only file' },
  },
  {
    name: 'history-by-replication-id',
    breaks: 'a history is named by the replication ID, which changes under connections that stay',
    edits: [
      {
        file: 'packages/broker/src/history.ts',
        find: "redis.info('server'))\n  const history = (/run_id:",
        replace: "redis.info('replication'))\n  const history = (/master_replid:",
      },
      {
        file: 'packages/broker/src/vouch.ts',
        find: "redis.call('INFO', 'server')\nlocal history = string.sub(string.match(server, 'run_id:",
        replace:
          "redis.call('INFO', 'replication')\nlocal history = string.sub(string.match(server, 'master_replid:",
      },
    ],
    test: { project: 'broker', file: 'turn', name: 'one and the same on all connections' },
  },
  {
    name: 'no-sweep',
    breaks: 'consumers rely on the doorbell, which loses hints',
    edits: [
      { file: 'apps/consumer/src/sweep.ts', find: '        if (!isQuiet) news.add(topic)\n', replace: '' },
    ],
    test: { project: 'consumer', file: 'redis-faults', name: 'a doorbell that nobody hears' },
  },
  {
    name: 'failed-turns-share-again',
    breaks: 'topics of turns that shared a transaction and failed go on to share',
    edits: [{ file: 'apps/consumer/src/loop.ts', find: '          alone.add(topic)\n', replace: '' }],
    test: { project: 'consumer', file: 'once', name: 'small topics share' },
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
]
