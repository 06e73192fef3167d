// Ways to break how streams are retired, and how sweeps find topics that have entries in flight.
import type { Mutant } from './mutant.ts'

export const streamMutants: readonly Mutant[] = [
  {
    name: 'retire-what-is-not-stored',
    breaks: 'a quiet stream is deleted whether or not its entries are stored',
    edits: [
      {
        file: 'packages/broker/src/turn/retire.ts',
        find: "if field(info, 'entries-added') ~= tonumber(ARGV[3]) then return 0 end",
        replace: '',
      },
    ],
    test: { project: 'consumer', file: 'retire', name: 'entries that nobody has stored' },
  },
  {
    name: 'retire-before-commit',
    breaks: 'a stream is deleted before its row has said that it is retired',
    edits: [
      {
        file: 'apps/consumer/src/upkeep/retire.ts',
        find: 'const drained = await findDrained(broker, live, quietMs)',
        replace: 'const drained = await deleteDrained(broker, live, quietMs)',
      },
    ],
    test: { project: 'consumer', file: 'retire', name: '“retiring” loses nothing' },
  },
  {
    name: 'retired-is-lost',
    breaks: 'that a stream was made anew after it was retired counts as a loss',
    edits: [{ file: 'packages/broker/src/turn/account.ts', find: ' && !given.retired', replace: '' }],
    test: { project: 'consumer', file: 'retire', name: 'made again by the next append' },
  },
  {
    name: 'appends-leave-no-mark',
    breaks: 'an append does not mark its topic, so that a sweep must look at all streams to find it',
    edits: [
      {
        file: 'packages/broker/src/append/calls.ts',
        find: "redis.call('HSET', KEYS[2], ARGV[1], last)",
        replace: '',
      },
    ],
    test: { project: 'consumer', file: 'retire', name: 'a topic is marked' },
  },
  {
    name: 'marks-go-before-commit',
    breaks: 'a topic’s mark is taken away when its entries are read, not when they are stored',
    edits: [
      {
        file: 'apps/consumer/src/turn.ts',
        find: "      context.at('read')\n",
        replace: "      await ackCommitted(context, passes, new Map())\n      context.at('read')\n",
      },
    ],
    test: { project: 'consumer', file: 'retire', name: 'a topic is marked' },
  },
  {
    name: 'keep-not-honoured',
    breaks: 'what is stored is trimmed after COMMIT, whatever KEEP_SECONDS says',
    edits: [
      {
        file: 'packages/broker/src/turn/ack.ts',
        find: 'const isKept = limits.keepMs > 0',
        replace: 'const isKept = limits.keepMs < 0',
      },
    ],
    test: { project: 'consumer', file: 'keep', name: 'a standby that lagged gets the same log again' },
  },
  {
    name: 'keep-without-asking',
    breaks: 'what is kept is trimmed when its time is over, also where PostgreSQL has gone back meanwhile',
    edits: [
      {
        file: 'packages/broker/src/keep/trim.ts',
        find: 'return positions === undefined ||',
        replace: 'return positions !== null ||',
      },
    ],
    test: { project: 'consumer', file: 'keep', name: 'what PostgreSQL does not have any more' },
  },
  {
    name: 'keep-as-backlog',
    breaks: 'what is stored and kept counts as in flight, in bytes',
    edits: [
      {
        file: 'apps/gateway/src/pressure/load.ts',
        find: 'stream.bytes - keptBytes',
        replace: 'stream.bytes',
      },
    ],
    test: { project: 'gateway', file: 'backlog', name: 'what is stored and kept for a time' },
  },
]
