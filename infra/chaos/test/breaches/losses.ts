import { ackedAt, lossOf } from '../evidence.ts'
import { afterLoss, afterTear, type Breach, later, lossAt, withLog } from './broken.ts'

/** Runs that lost events which the losses that they admit do not explain. */
export const ofLosses: readonly Breach[] = [
  [
    'an event is gone that was acknowledged after the loss',
    'every acknowledged event is stored',
    /b-3/,
    () => ({
      ...withLog((log) => log.slice(0, -1)),
      losses: [lossOf({ from: 0, until: 0 })],
      admissions: ['lost'],
    }),
  ],
  [
    'an event is gone that was accounted for before the loss',
    'every acknowledged event is stored',
    /b-3 was acknowledged/,
    () => ({ ...afterLoss(lossAt), losses: [lossOf({ safeBefore: ackedAt + 1 })], admissions: ['lost'] }),
  ],
  [
    'an event is gone, and the loss was another topic’s',
    'every acknowledged event is stored',
    /b-3 was acknowledged/,
    () => ({ ...afterLoss(lossAt), losses: [lossOf({ topic: 'mail' })], admissions: ['lost'] }),
  ],
  [
    'only an earlier loss was admitted',
    'every acknowledged event is stored',
    /b-3 was lost .* only of a loss at 2025/,
    () => ({ ...afterLoss('2025-12-31T23:59:00.000000Z'), admissions: ['lost'] }),
  ],
  [
    'a loss was not admitted',
    'every acknowledged event is stored',
    /b-3 was lost .* \/stats says nothing/,
    () => ({ ...afterLoss(null), admissions: ['lost'] }),
  ],
  [
    'a loss was not logged',
    'every acknowledged event is stored',
    /1 events were lost, and no log says so/,
    () => ({ ...afterLoss(lossAt), admissions: [] }),
  ],
  [
    'a loss was not logged, and of a later one nobody could know',
    'every acknowledged event is stored',
    /1 events were lost, and no log says so/,
    () => ({
      ...afterLoss(lossAt),
      losses: [lossOf(), { ...later, beside: ['kill-gateway'] }],
      admissions: [],
    }),
  ],
  [
    'of a torn end less was counted than is gone',
    'every acknowledged event is stored',
    /orders is without 1 acknowledged events, and \/stats counts 0/,
    () => afterTear({ lost: 0 }),
  ],
  [
    'less was counted than is gone with a torn end, and later all streams went',
    'every acknowledged event is stored',
    /orders is without 1 acknowledged events, and \/stats counts 0/,
    () => afterTear({ lost: 0 }, later),
  ],
  [
    'more is not in what was accepted than later went with all streams',
    'the books, HTTP and SQL agree',
    /accepted is 7; by the answers it must be from 8 to 9/,
    () => afterTear({ lost: 0 }, later),
  ],
  [
    'what was lost with a torn end is not in what was accepted',
    'the books, HTTP and SQL agree',
    /accepted is 7; by the answers it must be from 8 to 9/,
    () => afterTear({ lost: 0 }),
  ],
]
