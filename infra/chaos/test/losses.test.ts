/** What may be missing or out of order after Redis has lost something, and what may not. */
import { expect, test } from 'vitest'
import type { Loss } from '../src/check/evidence.ts'
import type { LogRow } from '../src/clients/log.ts'
import { afterLoss, afterTear, later, lossAt, renumbered, torn, withLog } from './breaches/broken.ts'
import { ackedAt, lossOf } from './evidence.ts'
import { violations } from './violations.ts'

test('a loss that was admitted is no violation', () => {
  expect(violations({ ...afterLoss(lossAt), admissions: ['redis has lost the stream'] })).toEqual({})
})

test('a torn end that was counted is no violation, nor one that only a killed gateway knew of', () => {
  expect(violations(afterTear({ lost: 1 }))).toEqual({})
  expect(violations(afterTear({ lost: 1 }, later))).toEqual({})
  const forgotten = { ...afterLoss(null), losses: [lossOf({ ...torn, beside: ['kill-gateway'] })] }
  expect(violations(forgotten)).toEqual({})
})

test('a duplicate that took the place of an entry that Redis lost may stand out of order, others may not', () => {
  const swapped = withLog(([first, ...rest]) =>
    rest.toSpliced(2, 0, first as LogRow).map((row, at) => ({ ...row, seq: at + 1 })),
  )
  const orderAfter = (loss: Loss) =>
    violations({ ...swapped, losses: [loss] })['the order of each source is kept']
  expect(orderAfter(lossOf())).toBeUndefined()
  for (const other of [
    lossOf({ from: 0, until: 0 }),
    lossOf({ topic: 'mail' }),
    lossOf({ safeBefore: ackedAt + 1 }),
  ])
    expect(orderAfter(other)).toMatch(/a-1, after a-2/)
})

test('what a restore has taken must be counted, to the event; what was said of it before was true then', () => {
  const restored = { fault: 'restore' }
  const without = afterTear({ lost: 1 })
  expect(violations({ ...without, losses: [lossOf(restored)], told: 1 })).toEqual({})
  const uncounted = { ...afterTear({ lost: 0 }), losses: [lossOf(restored)] }
  expect(violations(uncounted)['every acknowledged event is stored, or its loss was admitted']).toMatch(
    /without 1 acknowledged events, and \/stats counts 0 as lost/,
  )
  const swapped = withLog((log) => renumbered([log[1], log[0], ...log.slice(2)]))
  const receipts = (losses: Loss[]) => violations({ ...swapped, losses })['receipts say what the log says']
  expect(receipts([lossOf(restored)])).toBeUndefined()
  expect(receipts([lossOf({ ...restored, safeBefore: ackedAt + 1 })])).toMatch(/and it is seq/)
  expect(receipts([lossOf()])).toMatch(/and it is seq/)
})
