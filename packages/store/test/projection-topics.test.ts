/** Projections over many topics: which of them are folded first, and what it costs to find those. */
import { ownStore } from '@sekali/testkit/own'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { type Store, type Tx, withTransaction } from '../src/postgres/connect.ts'
import { registerProjection } from '../src/projections/register.ts'
import { endProjectionTurn, goLive, readBehind, takeProjectionTurn } from '../src/projections/turn.ts'

const definition = {
  name: 'p',
  version: 1,
  hash: 'h',
  topics: ['>'],
  topicRegex: /^.+$/,
  keyed: false,
  initial: '0',
}

/** So many that PostgreSQL plans for many. */
const topicsCount = 5_000

async function ofManyTopics(store: Store): Promise<void> {
  await store.pool.query(
    `INSERT INTO topics (name, head) SELECT 'orders.' || n, 1 FROM generate_series(1, ${topicsCount}) n`,
  )
  await registerProjection(store, definition)
  await store.pool.query('ANALYZE topics')
}

/** Of this transaction, and of what its session did before and has not told yet. */
const readsOf = async (tx: Tx, table: string) => {
  const { rows } = await tx.execute<{ looks: number; rows: number }>(sql`
    SELECT coalesce(idx_scan, 0)::int AS looks, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows
    FROM pg_stat_xact_all_tables WHERE relname = ${table}`)
  return rows[0] ?? { looks: 0, rows: 0 }
}

test('which topics are folded first is up to chance, and a few of many are found without a look at all', async () => {
  await using store = await ownStore()
  await ofManyTopics(store)
  await withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [definition])
    if (generation === undefined) throw new Error('no turn')
    const { rows: before } = await readsOf(tx, 'topics')
    const idsFrom = async (share: number, max = 2) =>
      (await readBehind(tx, generation, share, max)).map(({ topicId }) => topicId)
    expect(await idsFrom(0)).toEqual([1, 2])
    expect(await idsFrom(0.5)).toEqual([2_501, 2_500])
    expect((await readsOf(tx, 'topics')).rows - before).toBeLessThan(20)
    expect((await idsFrom(0.5, topicsCount)).toSorted((a, b) => a - b)).toHaveLength(topicsCount)
  })
})

test('of few topics that match among many any may be the first', async () => {
  await using store = await ownStore()
  await ofManyTopics(store)
  await registerProjection(store, { ...definition, name: 'few', topicRegex: /^orders\.[123]$/ })
  await withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [{ ...definition, name: 'few' }])
    if (generation === undefined) throw new Error('no turn')
    const firstFrom = async (share: number) => (await readBehind(tx, generation, share, 1_024))[0]?.topicId
    expect(await Promise.all([0.1, 0.5, 0.9].map(firstFrom))).toEqual([1, 2, 3])
  })
})

test('whether a projection is level is seen without a look-up of each checkpoint', async () => {
  await using store = await ownStore()
  await ofManyTopics(store)
  await withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [definition])
    if (generation === undefined) throw new Error('no turn')
    const behind = await readBehind(tx, generation, 0, topicsCount)
    const checkpoints = behind.map(({ topicId, epoch, head }) => ({ topicId, epoch, seq: head }))
    await endProjectionTurn(tx, generation, { states: new Map(), checkpoints })
    await goLive(tx, generation)
  })
  await store.pool.query('ANALYZE projections.checkpoints')
  await withTransaction(store, 'test', async (tx) => {
    const { looks: before } = await readsOf(tx, 'checkpoints')
    expect(await takeProjectionTurn(tx, [definition])).toBeUndefined()
    expect((await readsOf(tx, 'checkpoints')).looks - before).toBeLessThan(20)
  })
})
