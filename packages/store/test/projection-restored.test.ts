/** A projection that has folded what a restore took out of the log. */
import { beginEpoch, putBack } from '@sekali/testkit/fork-log'
import { ownStore } from '@sekali/testkit/own'
import { event, upTo } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, test } from 'vitest'
import { type Store, withTransaction } from '../src/postgres/connect.ts'
import { foldAnewIfAstray } from '../src/projections/astray.ts'
import { readProjections } from '../src/projections/read.ts'
import { registerProjection } from '../src/projections/register.ts'
import { readState } from '../src/projections/states.ts'
import { endProjectionTurn, goLive, readBehind, takeProjectionTurn } from '../src/projections/turn.ts'

const definition = {
  ...{ name: 'p', version: 1, hash: 'h', topics: ['orders'], topicRegex: /^orders$/ },
  ...{ keyed: false, initial: '0' },
}

const publish = (store: Store, life: string, from: number, to: number) =>
  storeEvents(
    store,
    upTo(to, from).map((seq) => event({ eventId: `${life}${seq}` })),
  )

/** A turn that folds all there is; its states are the seqs up to which it has. Resolves with what it was. */
const turn = (store: Store, isLive = false) =>
  withTransaction(store, 'test', async (tx) => {
    const generation = await takeProjectionTurn(tx, [definition])
    if (generation === undefined) return 'none'
    if ((await foldAnewIfAstray(tx, generation)).length > 0) return `${generation.stage} astray`
    const behind = await readBehind(tx, generation, 0, 10)
    const checkpoints = behind.map(({ topicId, epoch, head }) => ({ topicId, epoch, seq: head }))
    const states = new Map(checkpoints.map(({ seq }) => ['', String(seq)]))
    await endProjectionTurn(tx, generation, { states, checkpoints })
    if (isLive) await goLive(tx, generation)
    return generation.stage
  })

const statusOf = async (store: Store) => (await readProjections(store))[0]

test('a live projection beyond a fork stays as it is, and is folded anew beside what is on show', async () => {
  await using store = await ownStore()
  await publish(store, 'x', 1, 20)
  await registerProjection(store, definition)
  expect(await turn(store, true)).toBe('building')
  expect(await statusOf(store)).toMatchObject({ asOf: { orders: 20 } })
  expect(await statusOf(store)).not.toHaveProperty('epochs')
  await putBack(store, 'orders', 10)
  // A log that is only behind will come to where it was.
  expect(await turn(store)).toBe('none')
  await beginEpoch(store, 'orders')
  await publish(store, 'y', 11, 30)
  expect(await statusOf(store)).toMatchObject({ status: expect.any(String), astray: ['orders'] })
  expect(await turn(store)).toBe('live astray')
  expect(await statusOf(store)).toMatchObject({
    status: 'building',
    astray: ['orders'],
    rebuild: { lag: 30 },
  })
  expect(await readState(store, 'p', '')).toMatchObject({ state: '20', asOf: { orders: 20 } })
  expect(await turn(store, true)).toBe('building')
  expect(await statusOf(store)).toMatchObject({ status: 'live', asOf: { orders: 30 }, epochs: { orders: 2 } })
  expect(await statusOf(store)).not.toHaveProperty('astray')
  expect(await readState(store, 'p', '')).toMatchObject({ state: '30', epochs: { orders: 2 } })
  await publish(store, 'y', 31, 31)
  expect(await turn(store)).toBe('live')
})

test('a projection that was no further than the fork goes on, in the new epoch', async () => {
  await using store = await ownStore()
  await publish(store, 'x', 1, 10)
  await registerProjection(store, definition)
  expect(await turn(store, true)).toBe('building')
  await publish(store, 'x', 11, 20)
  await putBack(store, 'orders', 10)
  await beginEpoch(store, 'orders')
  await publish(store, 'y', 11, 12)
  expect(await turn(store)).toBe('live')
  expect(await statusOf(store)).toMatchObject({ asOf: { orders: 12 }, epochs: { orders: 2 } })
})

test('one that is being built, or has failed, begins anew as well', async () => {
  await using store = await ownStore()
  await publish(store, 'x', 1, 20)
  await registerProjection(store, definition)
  expect(await turn(store)).toBe('building')
  await putBack(store, 'orders', 10)
  await beginEpoch(store, 'orders')
  expect(await turn(store)).toBe('building astray')
  expect(await turn(store)).toBe('building')
  expect(await statusOf(store)).toMatchObject({ asOf: { orders: 10 }, epochs: { orders: 2 } })
  await store.pool.query(`UPDATE projections.generations SET failed_message = 'no' WHERE stage = 'building'`)
  expect(await turn(store)).toBe('none')
  await putBack(store, 'orders', 5)
  await beginEpoch(store, 'orders')
  expect(await turn(store)).toBe('building astray')
  expect(await turn(store, true)).toBe('building')
  expect(await statusOf(store)).toMatchObject({ status: expect.any(String), asOf: { orders: 5 } })
  expect(await statusOf(store)).not.toHaveProperty('error')
})
