// Ways to break what is said to Redis.
import type { Mutant } from './mutant.ts'

export const brokerMutants: readonly Mutant[] = [
  {
    name: 'no-contiguity-peek',
    breaks: 'what XREADGROUP gives is taken as what follows the position',
    edits: [
      {
        file: 'packages/broker/src/turn/read.ts',
        find: 'read.firstAfter !== read.packs[0]',
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
        file: 'packages/broker/src/turn/reclaim.ts',
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
        file: 'packages/broker/src/turn/read.ts',
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
        file: 'packages/broker/src/turn/read.ts',
        find: "redis.xgroup('CREATE', streamKey(broker, account.topic), group, account.position)",
        replace: "redis.xgroup('CREATE', streamKey(broker, account.topic), group, '$')",
      },
      {
        file: 'packages/broker/src/turn/read.ts',
        find: 'read.firstAfter !== read.packs[0]',
        replace: 'false',
      },
    ],
    test: { project: 'consumer', file: 'redis-faults', name: 'destroyed consumer group' },
  },
  {
    name: 'ids-of-a-pack-given-again',
    breaks: 'Redis is not told of the entries of a pack behind its first, and counts and numbers packs',
    edits: [
      {
        file: 'packages/broker/src/append/calls.ts',
        find: "redis.call('XSETID', KEYS[1], last, 'ENTRIESADDED', added + entries)",
        replace: '',
      },
    ],
    test: { project: 'broker', file: 'append', name: 'an id that no other has' },
  },
  {
    name: 'new-stream-without-its-name',
    breaks: 'a new stream is not put into the list of topics along with its first event',
    edits: [
      {
        file: 'packages/broker/src/append/calls.ts',
        find: "  redis.call('SADD', KEYS[3], ARGV[1])\n",
        replace: '',
      },
    ],
    test: { project: 'broker', file: 'append-faults', name: 'or the event is refused and nowhere' },
  },
  {
    name: 'name-after-the-stream',
    breaks:
      'a new stream is put into the list of topics by a call of its own, which a full Redis refuses: 503 for an event that it has',
    edits: [
      {
        file: 'packages/broker/src/append/calls.ts',
        find: "  redis.call('SADD', KEYS[3], ARGV[1])\n",
        replace: '',
      },
      {
        file: 'packages/broker/src/append/calls.ts',
        find: '      if (isMade(reply)) {\n',
        replace: '      if (isMade(reply)) {\n        await broker.redis.sadd(topicsKey(broker), topic)\n',
      },
    ],
    test: { project: 'broker', file: 'append-faults', name: 'or the event is refused and nowhere' },
  },
  {
    name: 'trim-past-the-position',
    breaks: 'the stream is trimmed up to its end instead of up to the position',
    edits: [
      {
        file: 'packages/broker/src/turn/ack.ts',
        find: 'isKept ? undefined : read && head.position',
        replace: 'isKept ? undefined : read?.lastId',
      },
    ],
    test: { project: 'consumer', file: 'once', name: 'trimmed below the position' },
  },
  {
    name: 'driver-sends-again',
    breaks: 'the Redis client keeps appends over a reconnect and sends them again by itself',
    edits: [
      {
        file: 'packages/broker/src/redis/connect.ts',
        find: 'autoResendUnfulfilledCommands: false,\n  maxRetriesPerRequest: 0,',
        replace: 'autoResendUnfulfilledCommands: true,\n  maxRetriesPerRequest: null,',
      },
    ],
    test: { project: 'broker', file: 'append-faults', name: 'whose connection is cut' },
  },
  {
    name: 'silent-loss',
    breaks: 'what was seen of a stream that is gone is not counted as lost',
    edits: [
      {
        file: 'packages/broker/src/turn/account.ts',
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
      {
        file: 'packages/broker/src/append/registry.ts',
        find: 'acknowledged.of(topic)',
        replace: 'undefined',
      },
    ],
    test: { project: 'broker', file: 'turn', name: 'torn append-only file' },
  },
  {
    name: 'history-by-replication-id',
    breaks: 'a history is named by the replication ID, which changes under connections that stay',
    edits: [
      {
        file: 'packages/broker/src/loss/history.ts',
        find: "redis.info('server'))\n  const history = (/run_id:",
        replace: "redis.info('replication'))\n  const history = (/master_replid:",
      },
      {
        file: 'packages/broker/src/loss/vouch.ts',
        find: "redis.call('INFO', 'server')\nlocal history = string.sub(string.match(server, 'run_id:",
        replace:
          "redis.call('INFO', 'replication')\nlocal history = string.sub(string.match(server, 'master_replid:",
      },
    ],
    test: { project: 'broker', file: 'turn', name: 'one and the same on all connections' },
  },
  {
    name: 'confirmations-uncounted',
    breaks: 'how many replicas have confirmed an append is asked, and the answer is not looked at',
    edits: [
      {
        file: 'packages/broker/src/append/replicas.ts',
        find: 'Number(confirmed) >= broker.replicasMin',
        replace: 'Number(confirmed) >= 0',
      },
    ],
    test: { project: 'broker', file: 'replicas', name: 'acknowledged once a replica has it' },
  },
]
