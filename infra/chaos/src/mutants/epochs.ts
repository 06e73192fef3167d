// Ways to break what a restore to an earlier state comes to.
import type { Mutant } from './mutant.ts'

const newEpoch = 'packages/broker/src/turn/new-epoch.ts'

export const epochMutants: readonly Mutant[] = [
  {
    name: 'restore-unnoticed',
    breaks:
      'a turn goes on after a restore as if nothing had been there: other events get numbers that readers know',
    edits: [
      {
        file: newEpoch,
        find: '  return begin(row.head)\n',
        replace: '  return undefined\n',
      },
    ],
    test: { project: 'consumer', file: 'restore', name: 'a restore begins another epoch' },
  },
  {
    name: 'failover-is-told',
    breaks:
      'another epoch begins although the stream has all that followed, as after a failover to a standby that lagged',
    edits: [
      {
        file: newEpoch,
        find: 'held === own.accounted - row.accounted',
        replace: 'held < 0',
      },
      {
        file: newEpoch,
        find: '    if (hasAllBehind(row, own.position, read)) return true\n',
        replace: '',
      },
    ],
    test: { project: 'consumer', file: 'restore', name: 'has all that followed' },
  },
  {
    name: 'epoch-not-checked',
    breaks: 'a reader goes on behind its number whatever its epoch',
    edits: [
      {
        file: 'packages/core/src/log/fork.ts',
        find: 'if (fork.epoch <= epoch || fork.forkedAt >= seq) continue',
        replace: 'if (fork.epoch > 0 || fork.epoch <= epoch || fork.forkedAt >= seq) continue',
      },
    ],
    test: { project: 'core', file: 'fork', name: 'beyond the fork' },
  },
  {
    name: 'memory-goes-back',
    breaks:
      'a consumer that was held up between COMMIT and its acknowledgement has Redis remember an earlier state',
    edits: [
      {
        file: 'packages/broker/src/turn/remembered.ts',
        find: 'if not (oldEpoch and isEarlier(',
        replace: 'if true or not (oldEpoch and isEarlier(',
      },
    ],
    test: { project: 'broker', file: 'remembered', name: 'held up' },
  },
]
