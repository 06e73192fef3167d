// Ways to pass over events of a worker group, to settle them twice, or to give them up for nothing.
import type { Mutant } from './mutant.ts'

const file = 'packages/store/migrations/0021_subscriptions.sql'
const project = 'store'

export const subscriptionMutants: readonly Mutant[] = [
  {
    name: 'floor-past-an-exception',
    breaks:
      'the floor of a subscription is before the last event that is not settled, and not before the first',
    edits: [{ file, find: 'ORDER BY lower(x.open) LIMIT 1', replace: 'ORDER BY lower(x.open) DESC LIMIT 1' }],
    test: { project, file: 'pull', name: 'the floor follows what is settled without a gap' },
  },
  {
    name: 'late-ack-accepted',
    breaks: 'who was paused, and whose events were given to another worker, settles them all the same',
    edits: [
      {
        file,
        find: 'WHERE o.grant_id = g.grant_id OFFSET 0) y',
        replace: 'WHERE o.grant_id = g.grant_id OR g.grant_id = ANY (o.priors) OFFSET 0) y',
      },
    ],
    test: { project, file: 'pull', name: 'a late ack counts while nobody else was given the event' },
  },
  {
    name: 'source-order-not-kept',
    breaks: 'an event goes out while the one before it in its source is with another worker',
    edits: [{ file, find: 'WHERE g.source <> ALL (busy)', replace: 'WHERE busy IS NOT NULL' }],
    test: { project, file: 'pull-order', name: 'of a source one event is out at a time' },
  },
  {
    name: 'outage-is-an-attempt',
    breaks:
      'a lease runs out while nobody can settle, because PostgreSQL is away, and that counts as an attempt',
    edits: [
      {
        file,
        find: "IF x.leased AND subscriptions.stood_still(x.since, x.due_at) > interval '0' THEN",
        replace: "IF x.leased AND subscriptions.stood_still(x.since, x.due_at) < interval '0' THEN",
      },
    ],
    test: { project, file: 'outages', name: 'ran out while nobody could settle' },
  },
  {
    name: 'turn-does-not-wait-for-the-disk',
    breaks: 'a worker is told that an event is settled before the disk, or a standby that confirms, has it',
    edits: [
      {
        file,
        find: 'SELECT * INTO sub FROM subscriptions.subscriptions s WHERE s.name = wanted FOR UPDATE;',
        replace:
          "SELECT * INTO sub FROM subscriptions.subscriptions s WHERE s.name = wanted FOR UPDATE; PERFORM set_config('synchronous_commit', 'off', true);",
      },
    ],
    test: {
      project: 'store:more',
      file: 'subscription-standby',
      name: 'a standby that confirms has not got',
    },
  },
]
