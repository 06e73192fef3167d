// Ways to break what a failover of PostgreSQL comes to.
import type { Mutant } from './mutant.ts'

export const failoverMutants: readonly Mutant[] = [
  {
    name: 'fence-at-connect',
    breaks: 'the timeline of PostgreSQL is read only once, and not in each turn',
    edits: [
      {
        file: 'packages/store/src/turn/turn.ts',
        find: 'lineage: lineageOf(row),',
        replace: 'lineage: (globalThis.atConnect ??= lineageOf(row)),',
      },
    ],
    test: { project: 'consumer', file: 'failover', name: 'the fence holds for each turn' },
  },
  {
    name: 'fence-unraised',
    breaks: 'a new primary does not raise the fence',
    edits: [
      {
        file: 'packages/broker/src/turn/fence.ts',
        find: "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n",
        replace: '',
      },
    ],
    test: { project: 'consumer', file: 'fence', name: 'raises the fence' },
  },
  {
    name: 'names-behind-a-pooler',
    breaks: 'statements are prepared by name, also where the next transaction has another session',
    edits: [
      {
        file: 'packages/store/src/postgres/store-client.ts',
        find: 'if (this.isMadeForPooler) unname(this)',
        replace: '',
      },
    ],
    test: { project: 'store', file: 'pgbouncer', name: 'transaction mode turns of many clients' },
  },
  {
    name: 'pooler-without-timeouts',
    breaks: 'behind a pooler a transaction has no timeouts',
    edits: [
      {
        file: 'packages/store/src/postgres/store-client.ts',
        find: "if (!this.isMadeForPooler) return 'BEGIN'",
        replace: "if (this.isMadeForPooler || !this.isMadeForPooler) return 'BEGIN'",
      },
    ],
    test: { project: 'store', file: 'pgbouncer', name: 'transaction mode a transaction has the settings' },
  },
  {
    name: 'standby-passes-over',
    breaks: 'a standby is read from whether or not it has come to the cursor',
    edits: [
      {
        file: 'apps/gateway/src/standby/read-log.ts',
        find: 'store: standby.store, mustReach: true',
        replace: 'store: standby.store, mustReach: false',
      },
    ],
    test: { project: 'gateway', file: 'standby', name: 'what it lacks from the primary' },
  },
  {
    name: 'standby-of-any-timeline',
    breaks: 'a standby is read from although it was promoted while the primary goes on',
    edits: [
      {
        file: 'apps/gateway/src/standby/standby.ts',
        find: 'replayed.timeline !== primary.timeline',
        replace: 'replayed.timeline < 0',
      },
    ],
    test: { project: 'gateway', file: 'standby', name: 'promoted while the primary goes on' },
  },
  {
    name: 'old-primary-lets-go',
    breaks: 'a consumer of an old primary lets go of what Redis keeps',
    edits: [
      {
        file: 'apps/consumer/src/upkeep/keep.ts',
        find: '    await requireNewest(broker, lineage)\n',
        replace: '',
      },
    ],
    test: { project: 'consumer', file: 'fence', name: 'lets go of nothing' },
  },
]
