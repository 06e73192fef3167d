// Ways to break who of the consumers takes which topics, and who hears of them.
import type { Mutant } from './mutant.ts'

export const sharingMutants: readonly Mutant[] = [
  {
    name: 'never-steps-in',
    breaks: 'a consumer leaves a topic to the one that is to take it, however long that does not come',
    edits: [
      {
        file: 'apps/consumer/src/sharing/waiting.ts',
        find: 'isMine(topic) || before.seen === seen',
        replace: 'isMine(topic)',
      },
    ],
    test: { project: 'consumer', file: 'sharing', name: 'stands still' },
  },
  {
    name: 'rings-at-another-door',
    breaks: 'a doorbell goes to the channel of other topics',
    edits: [
      {
        file: 'packages/broker/src/hints/doorbell.ts',
        find: 'redis.publish(doorbellChannelOf(broker, channel), words',
        replace: 'redis.publish(doorbellChannelOf(broker, (channel + 1) % 256), words',
      },
    ],
    test: { project: 'broker', file: 'doorbell', name: 'those alone are woken' },
  },
  {
    name: 'all-try-each-topic',
    breaks: 'each consumer takes itself for the preferred one of all topics',
    edits: [
      {
        file: 'apps/consumer/src/sharing/places.ts',
        find: "if (first === self) return 'preferred'",
        replace: "if (first !== undefined) return 'preferred'",
      },
    ],
    test: { project: 'consumer', file: 'places', name: 'one preferred consumer and one deputy' },
  },
]
