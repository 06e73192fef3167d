import type { LogRow } from '../../src/clients/log.ts'
import type { Projections } from '../../src/clients/projections.ts'
import { activityOf, lossOf, soundRun, tailOf } from '../evidence.ts'
import { type Breach, broke, withSeen, withTail } from './broken.ts'

/** Runs in which a reader, a tail or a projection saw something other than the log. */
export const ofReaders: readonly Breach[] = [
  [
    'the reader skipped one',
    'a reader saw exactly the log',
    /the log has seq 2 \(b-1\) where the reader saw seq 3/,
    () => withSeen((seen) => seen.filter(({ seq }) => seq !== 2)),
  ],
  [
    'the reader saw one twice',
    'a reader saw exactly the log',
    /seq 2/,
    () => withSeen(([one, ...rest]) => [one, one, ...rest]),
  ],
  [
    'the reader saw one that is not there any more',
    'a reader saw exactly the log',
    /saw more/,
    () => withSeen((seen) => [...seen, { seq: 7, id: 'b-4' }]),
  ],
  [
    'the reader saw another payload',
    'a reader saw exactly the log',
    /saw seq 2 \(b-1\) with another content/,
    () => withSeen((seen) => seen.map((one) => (one.seq === 2 ? { ...one, digest: '' } : one))),
  ],
  [
    'a tail skipped one after a reconnect',
    'every tail saw exactly the log',
    /orders: the log has seq 3 \(a-2\) where the tail of orders saw seq 4/,
    () => withTail((log) => tailOf(log.filter(({ seq }) => seq !== 3))),
  ],
  [
    'a tail got one again after a reconnect',
    'every tail saw exactly the log',
    /the log has seq 4 .* saw seq 3/,
    () => withTail(([a, b, c, ...rest]) => tailOf([a, b, c, c, ...rest] as LogRow[])),
  ],
  [
    'a tail was refused',
    'every tail saw exactly the log',
    /the tail of orders: answered 409/,
    () => withTail((log) => tailOf(log, ['answered 409'])),
  ],
  [
    'the reader was told of a restore that never was',
    'a reader saw exactly the log',
    /told of a restore, and there was none/,
    () => broke({ told: 1 }),
  ],
  [
    'a tail was told of a restore that never was',
    'every tail saw exactly the log',
    /the tail of orders was told of a restore, and there was none/,
    () => withTail((log) => ({ ...tailOf(log), told: 1 })),
  ],
  [
    'nobody told the reader of a restore, and it kept what is gone',
    'a reader saw exactly the log',
    /saw more/,
    () => ({
      ...withSeen((seen) => [...seen, { seq: 7, id: 'b-4' }]),
      losses: [lossOf({ fault: 'restore' })],
    }),
  ],
  [
    'a projection has folded an event twice',
    'projections equal a fold',
    /counts differs from its fold/,
    () => {
      const { log } = soundRun()
      const [live, rebuilt] = ['[7]', '[6]'].map(
        (counts) => new Map([...activityOf(log), ['counts', counts]]),
      )
      return broke({ projections: { live, rebuilt } as Projections })
    },
  ],
  [
    'projections and their folds have the same half of the events',
    'projections equal a fold',
    /activity counts 3 events of orders, of 6/,
    () => {
      const half = activityOf(soundRun().log.slice(3))
      return broke({ projections: { live: half, rebuilt: half } })
    },
  ],
  [
    'there are no projections',
    'projections equal a fold',
    /activity counts 0 events/,
    () => broke({ projections: { live: new Map(), rebuilt: new Map() } }),
  ],
]
