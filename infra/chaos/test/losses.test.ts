/** What may be missing or out of order after Redis has lost something, and what may not. */
import { expect, test } from 'vitest'
import type { Loss } from '../src/check/evidence.ts'
import type { LogRow } from '../src/clients/log.ts'
import { afterLoss, afterTear, later, lossAt, torn, withLog } from './breaches/broken.ts'
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
