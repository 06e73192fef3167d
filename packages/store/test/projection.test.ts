import { ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { type Store, withTransaction } from '../src/postgres/connect.ts'
import { forgetRetired } from '../src/projections/forget-retired.ts'
import { readProjections } from '../src/projections/read.ts'
import { registerProjection } from '../src/projections/register.ts'
import { requestRebuild } from '../src/projections/request-rebuild.ts'
import { readState, readStatesPage } from '../src/projections/states.ts'
import { endProjectionTurn, goLive, readBehind, takeProjectionTurn } from '../src/projections/turn.ts'

const definition = (version = 1, hash = 'h') => ({
  name: 'p',
  version,
  hash,
  topics: ['orders'],
  topicRegex: /^orders$/,
  keyed: false,
  initial: '0',
})

/** A turn that gets stuck at its first event. */
const fail = (store: Store, message: string, version = 1) =>
  withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [definition(version)])
    if (generation === undefined) throw new Error('no turn')
    const failure = { topic: 'orders', seq: 1, eventId: 'e', message }
    await endProjectionTurn(tx, generation, { states: new Map(), checkpoints: [], failure })
    return failure
  })

async function turn(store: Store, state: string, version = 1, live = false, hash = 'h') {
  return await withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [{ name: 'p', version, hash }])
    if (generation === undefined) return undefined
    const behind = await readBehind(tx, generation, 0, 10)
    const checkpoints = behind.map(({ topicId, epoch, head }) => ({ topicId, epoch, seq: head }))
    await endProjectionTurn(tx, generation, { states: new Map([['', state]]), checkpoints })
    if (live) await goLive(tx, generation)
    return generation
  })
}

test('a write onto a revision that is no longer the current one is refused, whole [P4]', async () => {
  await using store = await ownStore()
  await storeEvents(store, [event()])
  await registerProjection(store, definition())
  const generation = await turn(store, '1', 1, true)
  expect(generation).toMatchObject({ revision: 0 })
  const zombie = withTransaction(store, 'test', async (tx) => {
    if (generation === undefined) throw new Error('no turn')
    await endProjectionTurn(tx, generation, {
      states: new Map([['', '2']]),
      checkpoints: [{ topicId: 1, epoch: 1, seq: 9 }],
    })
  })
  await expect(zombie).rejects.toMatchObject({ code: 'stale_revision', retryable: true })
  expect(await readState(store, 'p', '')).toMatchObject({ state: '1', asOf: { orders: 1 } })
  expect(await turn(store, '2'), 'nothing is behind').toBeUndefined()
})

test('events that a projection skips are counted, and the last is kept, apart for what is to take its place', async () => {
  await using store = await ownStore()
  await storeEvents(store, [event()])
  await registerProjection(store, definition())
  const last = { topic: 'orders', seq: 1, eventId: 'e', message: 'Error: no' }
  const skip = (count: number, version: number, seq: number, live = true) =>
    withTransaction(store, 'test', async (tx) => {
      const generation = await takeProjectionTurn(tx, [definition(version)])
      if (generation === undefined) throw new Error('no turn')
      const skipped = { count, last: { ...last, seq } }
      await endProjectionTurn(tx, generation, { states: new Map(), checkpoints: [], skipped })
      if (live && generation.stage === 'building') await goLive(tx, generation)
    })
  const before = await readState(store, 'p', '')
  expect((await readProjections(store))[0]).not.toHaveProperty('skipped')
  await skip(3, 1, 7)
  await skip(2, 1, 9)
  const skipped = { count: 5, last: { ...last, seq: 9 } }
  expect(await readProjections(store)).toMatchObject([{ status: 'live', skipped }])
  const page = await readStatesPage(store, 'p', { after: '', limit: 1 })
  expect(page).toMatchObject({ skipped })
  expect(before).not.toMatchObject({ skipped })
  await skip(1, 1, 10)
  expect((await readStatesPage(store, 'p', { after: '', limit: 1 }))?.tag).not.toBe(page?.tag)
  await registerProjection(store, definition(2))
  await skip(4, 2, 2, false)
  expect(await readProjections(store)).toMatchObject([
    { skipped: { count: 6 }, rebuild: { skipped: { count: 4, last: { ...last, seq: 2 } } } },
  ])
})

test('while one has the turn nobody else gets it', async () => {
  await using store = await ownStore()
  await registerProjection(store, definition())
  await withTransaction(store, 'test', async (tx) => {
    expect(await takeProjectionTurn(tx, [definition()])).toMatchObject({ name: 'p', stage: 'building' })
    expect(await turn(store, '1')).toBeUndefined()
  })
  expect(await turn(store, '1')).toBeDefined()
})

test('a later version is built beside the live one and takes its place; an earlier one is superseded', async () => {
  await using store = await ownStore()
  await storeEvents(store, [event()])
  const both = [registerProjection(store, definition()), registerProjection(store, definition())]
  expect((await Promise.all(both)).sort()).toEqual(['building', 'known'])
  await turn(store, '1', 1, true)
  expect(await registerProjection(store, definition(2))).toBe('building')
  expect(await registerProjection(store, definition(1))).toBe('superseded')
  expect(await registerProjection(store, definition(3))).toBe('building')
  expect(await requestRebuild(store, 'p', { actor: 'test' }), 'it is being built already').toBe(true)
  const rebuild = { version: 3, status: 'building', lag: 1 }
  expect(await readProjections(store)).toMatchObject([{ version: 1, status: 'building', lag: 0, rebuild }])
  await turn(store, '3', 3)
  expect(await readState(store, 'p', '')).toMatchObject({ state: '1' })
  await turn(store, '3', 3, true)
  expect(await readState(store, 'p', '')).toMatchObject({ state: '3' })
  expect(await readProjections(store)).toMatchObject([{ version: 3, status: 'live', lag: 0 }])
  for (let chunk = 0; await forgetRetired(store, 1); chunk++) expect(chunk).toBeLessThan(10)
  const { rows } = await store.pool.query(
    'SELECT g.id FROM projections.generations g JOIN projections.states s ON true',
  )
  expect(rows).toHaveLength(1)
})

test('what is on show and its rebuild say each by itself where they got stuck', async () => {
  await using store = await ownStore()
  await registerProjection(store, definition())
  await turn(store, '0', 1, true)
  await storeEvents(store, [event()])
  await registerProjection(store, definition(2))
  const rebuild = { version: 2, status: 'failed', lag: 1, error: await fail(store, 'two', 2) }
  const [well] = await readProjections(store)
  expect(well).toMatchObject({ version: 1, status: 'failed', rebuild })
  expect(well).not.toHaveProperty('error')
  const error = await fail(store, 'one')
  expect(await readProjections(store)).toMatchObject([{ status: 'failed', error, rebuild }])
  await requestRebuild(store, 'p', { actor: 'test' })
  const again = { version: 2, status: 'building', lag: 1 }
  expect(await readProjections(store)).toMatchObject([{ status: 'building', error, rebuild: again }])
})

test('a changed file is another definition: nobody folds it into the states of the old one, and a rebuild takes it', async () => {
  await using store = await ownStore()
  await storeEvents(store, [event()])
  await registerProjection(store, definition())
  await turn(store, '1', 1, true)
  await storeEvents(store, [event({ eventId: 'another' })])
  const changed = { ...definition(1, 'changed'), topics: ['orders', 'more'], initial: '7' }
  expect(await registerProjection(store, changed)).toBe('building')
  expect(await turn(store, '9', 1, false, 'elsewhere'), 'it is of neither').toBeUndefined()
  expect(await registerProjection(store, definition()), 'changed back').toBe('known')
  expect(await turn(store, '9', 1, false, 'changed'), 'it was given up').toBeUndefined()

  expect(await registerProjection(store, changed)).toBe('building')
  expect(await readState(store, 'p', '')).toMatchObject({ state: '1' })
  await turn(store, '2', 1, true, 'changed')
  expect(await readState(store, 'p', '')).toMatchObject({ state: '2', asOf: { orders: 2 } })
  expect(await requestRebuild(store, 'p', { actor: 'test' })).toBe(true)
  const { rows } = await store.pool.query(
    `SELECT hash, topics, initial FROM projections.generations WHERE stage = 'building'`,
  )
  expect(rows).toEqual([{ hash: 'changed', topics: ['orders', 'more'], initial: 7 }])
})

test('what a page of states says of all topics is read once, and not for each key', async () => {
  await using store = await ownStore()
  const topics = Array.from({ length: 20 }, (_, n) => `orders.${n}`)
  for (const topic of topics) await storeEvents(store, [event({ topic })])
  await registerProjection(store, { ...definition(), topics: ['**'], topicRegex: /^.+$/, keyed: true })
  const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
  await withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [definition()])
    if (generation === undefined) throw new Error('no turn')
    const checkpoints = (await readBehind(tx, generation, 0, 100)).map(({ topicId, epoch, head }) => ({
      topicId,
      epoch,
      seq: head,
    }))
    await endProjectionTurn(tx, generation, { states: new Map(keys.map((key) => [key, '1'])), checkpoints })
    await goLive(tx, generation)
  })
  await withTransaction(store, 'test', async (tx) => {
    const page = await readStatesPage({ ...store, db: tx }, 'p', { after: '', limit: 100, wantsAsOf: true })
    expect(page?.keys).toHaveLength(keys.length)
    expect(page?.asOf).toEqual(Object.fromEntries(topics.map((topic) => [topic, 1])))
    const { rows } = await tx.execute(sql`
      SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read
      FROM pg_stat_xact_all_tables WHERE relname = 'checkpoints'`)
    expect(rows).toEqual([{ read: topics.length }])
  })
})
