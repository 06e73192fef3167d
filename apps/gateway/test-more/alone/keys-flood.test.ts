/** Made-up keys in numbers: few of them are answered, and whoever has a good one gets in beside them. */
import { randomUUID } from 'node:crypto'
import { createLog } from '@sekali/process/log'
import { expect, test } from 'vitest'
import { createAdmitted } from '../../src/access/admitted.ts'
import type { KeyRecord } from '../../src/access/key-reads.ts'
import { ownKeys } from '../../test/own-keys.ts'
import { madeUp } from '../../test/retyped.ts'

test('a good key that nobody has shown before gets in during a flood from the same address', async () => {
  await using own = await ownKeys()
  const good = await Promise.all(Array.from({ length: 5 }, async () => (await own.make()).text))
  let isOver = false
  const flood = Array.from({ length: 8 }, async () => {
    const statuses: number[] = []
    while (!isOver) statuses.push((await own.ask('/stats', madeUp())).status)
    return statuses
  })
  for (let n = 0; n < 80; n++) await own.ask('/stats', madeUp())
  const answers = []
  for (const key of good) answers.push((await own.ask('/stats', key)).status)
  isOver = true
  await Promise.all(flood)
  expect(answers).toEqual(good.map(() => 200))
})

test('of many that come at once no more are answered than of those that come one by one', async () => {
  await using own = await ownKeys()
  const startedAt = performance.now()
  const statuses = await Promise.all(
    Array.from({ length: 300 }, async () => (await own.ask('/stats', madeUp())).status),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  const wrong = statuses.filter((status) => status === 401).length
  expect(wrong).toBeGreaterThanOrEqual(50)
  expect(wrong).toBeLessThanOrEqual(50 + 5 * Math.ceil(seconds))
})

const record: KeyRecord = {
  hash: Buffer.alloc(32),
  grant: { holder: 'a', scopes: [], topics: [] },
  expiresAt: null,
  revokedAt: null,
}

function admitted(find: Parameters<typeof createAdmitted>[0]['find'] = async () => new Map()) {
  return createAdmitted(
    { find, note: async () => undefined, log: createLog('gateway', 'silent') },
    { refreshMs: 3_600_000 },
  )
}

test('what a request is under way with is not forgotten, however many others come', async () => {
  await using all = admitted()
  const { life } = all.addKey('first', 'id', record)
  using _underWay = life.begin()
  for (let n = 0; n < 10_001; n++) all.addKey(randomUUID(), 'other', record)
  expect(all.of('first')).toBeDefined()
  await all.refresh()
  expect(life.over).toContain('revoked')
})

test('what is begun with a key that was forgotten since is ended with it', async () => {
  await using all = admitted()
  const { life } = all.addKey('first', 'id', record)
  for (let n = 0; n < 10_001; n++) all.addKey(randomUUID(), 'other', record)
  expect(all.of('first')).toBeUndefined()
  const ends: string[] = []
  life.onEnd((why) => ends.push(why))
  await all.refresh()
  expect(ends).toEqual([expect.stringContaining('revoked')])
})

test('and so if the key was shown once more in between', async () => {
  await using all = admitted()
  const { life } = all.addKey('first', 'id', record)
  for (let n = 0; n < 10_001; n++) all.addKey(randomUUID(), 'other', record)
  all.addKey('first', 'id', record)
  const ends: string[] = []
  life.onEnd((why) => ends.push(why))
  await all.refresh()
  expect(ends).toEqual([expect.stringContaining('revoked')])
})

test('tokens take no room from keys', async () => {
  await using all = admitted()
  all.addKey('key', 'id', record)
  for (let n = 0; n < 10_001; n++) all.addToken(randomUUID(), record.grant, Number.POSITIVE_INFINITY)
  expect(all.of('key')).toBeDefined()
})
