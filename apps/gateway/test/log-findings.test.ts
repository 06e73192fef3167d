import { fillLog } from '@sekali/testkit/fill-log'
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { createGapSearch } from '../src/operate/gap-search.ts'
import { restoredFinding } from '../src/operate/log-findings.ts'
import { createGateway, diagnose } from './gateway.ts'

test('doctor names a restore as what it is, and finds rows that somebody has deleted', async () => {
  await using store = await ownStore()
  await using gateway = createGateway({
    redisUrl: inject('redisUrl'),
    databaseUrl: store.url,
    prefix: ownPrefix(),
  })
  const find = async (check: string) => {
    const { findings } = await diagnose(gateway)
    return findings.find((finding) => finding.check === check)
  }
  await fillLog(store, { orders: 1_200, logins: 20 }, { payload: `'{}'` })
  expect(await find('log.restored')).toMatchObject({ level: 'ok', message: 'never' })
  expect(await find('log.gaps')).toMatchObject({ level: 'ok', message: 'none, 1,220 seqs looked at' })
  await putBack(store, 'orders', 1_100)
  await beginEpoch(store, 'orders')
  expect(await find('log.restored')).toMatchObject({
    level: 'warning',
    message: expect.stringMatching(
      /^PostgreSQL was put back .* the log has forked in orders after seq 1100 \(epoch 2\)$/,
    ),
    remedy: expect.stringContaining('log_restored'),
  })
  expect(await find('log.gaps')).toMatchObject({ level: 'ok', message: 'none, 1,120 seqs looked at' })
  await store.pool.query('DELETE FROM events WHERE seq = 17')
  expect(await find('log.gaps')).toMatchObject({
    level: 'problem',
    message: expect.stringMatching(
      /^rows of events were deleted in (orders, logins|logins, orders): \w+ has no event 17/,
    ),
    remedy: expect.stringContaining('backup'),
  })
})

test('a restore of long ago is history, and of several the last is named first', () => {
  const day = 24 * 60 * 60 * 1_000
  const at = '2026-01-10T00:00:00.000000Z'
  const forked = [
    {
      topicId: 1,
      topic: 'a',
      epoch: 2,
      forks: [{ epoch: 2, forkedAt: 5, at: '2026-01-01T00:00:00.000000Z' }],
    },
    { topicId: 2, topic: 'b', epoch: 2, forks: [{ epoch: 2, forkedAt: 7, at }] },
  ] as unknown as Parameters<typeof restoredFinding>[0]
  const soon = restoredFinding(forked, Date.parse(at) + day)
  expect(soon).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('b after seq 7 (epoch 2), a after'),
  })
  expect(restoredFinding(forked, Date.parse(at) + 8 * day)).toMatchObject({
    level: 'ok',
    message: soon.message,
  })
  expect(restoredFinding(undefined, 0).level).toBe('unknown')
})

test('a search that stops in the middle goes on there, and keeps what it has found until it comes by again', async () => {
  await using store = await ownStore()
  await fillLog(store, Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`t${n}`, 1])), {
    payload: `'{}'`,
  })
  await store.pool.query("DELETE FROM events WHERE topic_id = (SELECT id FROM topics WHERE name = 't300')")
  const search = createGapSearch(store, 0)
  const found: [gaps: number, seqs: number, isWhole: boolean][] = []
  for (let looks = 0; looks < 7; looks++) {
    const { gaps, seqs, isWhole } = await search()
    found.push([gaps.length, seqs, isWhole])
  }
  expect(found).toEqual([
    [0, 128, false],
    [0, 256, false],
    [1, 384, false],
    [1, 512, false],
    [1, 600, true],
    [1, 128, false],
    [1, 256, false],
  ])
})
