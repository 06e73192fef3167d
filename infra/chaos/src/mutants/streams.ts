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
        find: 'retire(tx, await findDrained(broker, live, quietMs))',
        replace: 'retire(tx, await deleteDrained(broker, live, quietMs))',
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
]
