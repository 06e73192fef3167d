import type { TopicName } from '@sekali/core/event'
import { forkBefore } from '@sekali/core/fork'
import { fillLog } from '@sekali/testkit/fill-log'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import { readAudit } from '../src/audit/read.ts'
import { beginEpochs, countForEpochs } from '../src/operate/begin-epochs.ts'
import { setTopicSettings } from '../src/operate/topic-settings.ts'
import { readForks } from '../src/read/forks.ts'
import { readHeads } from '../src/read/heads.ts'
import { ensureTopics } from '../src/turn/ensure-topics.ts'

const by = { actor: 'test' }

async function ownLog() {
  const store = await ownStore()
  await fillLog(store, { a: 500, b: 7 }, { payload: `'{}'` })
  await store.pool.query("INSERT INTO topics (name) VALUES ('empty')")
  return store
}

test('an epoch begins in every topic where its log ends, and what is done stands in the audit log', async () => {
  await using store = await ownLog()
  const { epoch, topics } = await beginEpochs(store, undefined, by)
  expect(topics).toBe(3)
  const heads = await readHeads(store)
  expect(heads.map(({ topic, epoch, head }) => [topic, epoch, head]).sort()).toEqual([
    ['a', epoch, 500],
    ['b', epoch, 7],
    ['empty', epoch, 0],
  ])
  const forks = [...(await readForks(store)).values()]
  expect(
    forks.map(({ topic, forks }) => [topic, forks.map(({ epoch, forkedAt }) => [epoch, forkedAt])]),
  ).toEqual([
    ['a', [[epoch, 500]]],
    ['b', [[epoch, 7]]],
    ['empty', [[epoch, 0]]],
  ])
  expect(await readAudit(store, { after: 0, limit: 9 })).toMatchObject([
    { actor: 'test', action: 'epochs_begun', target: String(epoch), details: { topics: 3 } },
  ])
})

test('begun twice it tells nobody more than begun once, and no number comes twice', async () => {
  await using store = await ownLog()
  const first = await beginEpochs(store, undefined, by)
  await store.pool.query("UPDATE topics SET head = 510 WHERE name = 'a'")
  const second = await beginEpochs(store, undefined, by)
  expect(second.epoch).toBeGreaterThan(first.epoch)
  const forks = (await readForks(store)).get(1)?.forks ?? []
  const isTold = (epoch: number, seq: number) => forkBefore(forks, { epoch, seq }) !== undefined
  expect(isTold(1, 500)).toBe(false)
  expect(isTold(1, 501)).toBe(true)
  expect(isTold(first.epoch, 510)).toBe(false)
})

test('its number is that of the second, so a log that is put back again does not come to it by counting', async () => {
  await using store = await ownLog()
  const seconds = () => Math.round((Date.now() - Date.UTC(2025, 0, 1)) / 1_000)
  const before = seconds()
  const { epoch } = await beginEpochs(store, undefined, by)
  expect(epoch).toBeGreaterThanOrEqual(before)
  expect(epoch).toBeLessThanOrEqual(seconds())
  await store.pool.query(`UPDATE topics SET epoch = 2000000000 WHERE name = 'a'`)
  expect((await beginEpochs(store, undefined, by)).epoch).toBe(2_000_000_001)
})

test('where something was stored since, the time at which PostgreSQL was put back says where the logs fork', async () => {
  await using store = await ownLog()
  await store.pool.query(`
    UPDATE events SET stored_at = timestamptz '2026-01-01Z' + seq * interval '1 minute' WHERE topic_id = 1`)
  await beginEpochs(store, '2026-01-01T06:00:30.000000Z', by)
  const forks = [...(await readForks(store)).values()]
  expect(forks.map(({ topic, forks }) => [topic, forks[0]?.forkedAt])).toEqual([
    ['a', 360],
    ['b', 0],
    ['empty', 0],
  ])
})

test('with the same time begun twice it tells nobody who has gone back and read on meanwhile', async () => {
  await using store = await ownLog()
  await store.pool.query(`
    UPDATE events SET stored_at = timestamptz '2026-01-01Z' + seq * interval '1 minute' WHERE topic_id = 1`)
  const forkedAt = async () =>
    [...(await readForks(store)).values()].map(({ topic, forks }) => [topic, forks.at(-1)?.forkedAt])
  // Said too late and without the time at first: that tells nobody whom the time would have told.
  await beginEpochs(store, undefined, by)
  const first = await beginEpochs(store, '2026-01-01T06:00:30.000000Z', by)
  expect(await forkedAt()).toEqual([
    ['a', 360],
    ['b', 0],
    ['empty', 0],
  ])
  const second = await beginEpochs(store, '2026-01-01T06:00:30.000000Z', by)
  expect(second.epoch).toBeGreaterThan(first.epoch)
  expect(await forkedAt()).toEqual([
    ['a', 500],
    ['b', 7],
    ['empty', 0],
  ])
  const forks = (await readForks(store)).get(1)?.forks ?? []
  expect(forkBefore(forks, { epoch: first.epoch, seq: 410 })).toBeUndefined()
  expect(forkBefore(forks, { epoch: 1, seq: 361 })).toMatchObject({ forkedAt: 360 })
  // It was put back once more, after those had begun.
  await store.pool.query("UPDATE forks SET at = '2026-01-01T06:30Z'")
  await beginEpochs(store, '2026-01-01T07:00:30.000000Z', by)
  expect((await forkedAt())[0]).toEqual(['a', 420])
})

test('a topic that is made later begins in that epoch: it may have been there before', async () => {
  await using store = await ownLog()
  await ensureTopics(store, ['early' as TopicName])
  const { epoch } = await beginEpochs(store, undefined, by)
  await ensureTopics(store, ['late' as TopicName, 'a' as TopicName])
  const [late] = await readHeads(store, ['late'])
  expect(late).toMatchObject({ epoch, head: 0 })
  const forked = [...(await readForks(store)).values()]
  const at = forked.find(({ topic }) => topic === 'a')?.forks[0]?.at
  expect(forked.find(({ topic }) => topic === 'late')?.forks).toEqual([{ epoch, forkedAt: 0, at }])
})

test('what it would be about is counted, with whether something was stored since PostgreSQL started', async () => {
  await using store = await ownLog()
  expect(await countForEpochs(store)).toMatchObject({
    topics: 3,
    events: 507,
    newestStoredAt: expect.stringMatching(/Z$/),
    storedSinceStart: 2,
  })
  await store.pool.query(`UPDATE events SET stored_at = '2020-01-01Z'`)
  expect(await countForEpochs(store)).toMatchObject({
    newestStoredAt: '2020-01-01T00:00:00.000000Z',
    storedSinceStart: 0,
  })
  await using empty = await ownStore()
  expect(await countForEpochs(empty)).toMatchObject({ topics: 0, events: 0, newestStoredAt: null })
})

test('a topic that its settings make begins in that epoch as well', async () => {
  await using store = await ownLog()
  const { epoch } = await beginEpochs(store, undefined, by)
  const topic = 'set' as TopicName
  expect(await setTopicSettings(store, topic, { sameContent: 'json' }, by)).toBe('set')
  expect((await readHeads(store)).find((head) => head.topic === topic)).toMatchObject({ epoch, head: 0 })
  const forks = [...(await readForks(store)).values()].find((one) => one.topic === topic)
  expect(forks?.forks).toMatchObject([{ epoch, forkedAt: 0 }])
})
