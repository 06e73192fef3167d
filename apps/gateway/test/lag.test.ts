/** How far a standby is behind, as a gateway finds it without a clock of the servers. */
import { expect, test } from 'vitest'
import { createLagMeter } from '../src/standby/lag.ts'

/** Looks at a primary that had written so much, a second each. */
function metered(...written: number[]) {
  const meter = createLagMeter()
  for (const [second, bytes] of written.entries()) meter.onWritten(bytes, second * 1_000)
  return (bytes: number, ageSeconds?: number) => meter.lagOf({ bytes, ageSeconds })
}

test('a standby that has all is not behind, however long nothing was written', () => {
  expect(metered(100, 100, 100)(100, 7_200)).toEqual({ seconds: 0, bytes: 0 })
  expect(metered(100)(130, 0)).toEqual({ seconds: 0, bytes: 0 })
})

test('the lag is the time since the last look at which the primary had written no more than the standby has', () => {
  expect(metered(100, 100, 150, 200)(149, 7_200)).toEqual({ seconds: 2, bytes: 51 })
  expect(metered(100, 150, 200, 200)(150)).toEqual({ seconds: 2, bytes: 50 })
})

test('of what nobody remembers the servers’ clocks tell, and without those nobody knows', () => {
  expect(metered(100, 150)(99, 3_600)).toEqual({ seconds: 3_600, bytes: 51 })
  expect(metered(100, 150)(99)).toEqual({ seconds: undefined, bytes: 51 })
  expect(metered()(99, 1)).toBeUndefined()
})

test('a primary that has written less than before is another one, after a failover', () => {
  expect(metered(1_000, 2_000, 500, 600)(500, 9)).toEqual({ seconds: 1, bytes: 100 })
})
