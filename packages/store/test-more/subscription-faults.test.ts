/** Subscriptions on a PostgreSQL that is killed, and workers whose sessions are. */
import { setTimeout as after } from 'node:timers/promises'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownStore } from '@sekali/testkit/own'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import { add, by, configOf, floorOf, get, say, statusOf, tokensOf, upTo } from '../test/subscriptions.ts'

/** The first answer that is none of a PostgreSQL that is away. */
const insist = <T>(call: () => Promise<T>): Promise<T> => eventually(call, 30_000)

test('PostgreSQL is away for longer than a lease, ten times: nobody loses an event, none is dead', async () => {
  await using postgres = await ownPostgres()
  await using store = await ownStore(postgres.url, ownDatabase(postgres.url))
  await add(store, 'orders', 5)
  await putSubscription(store, configOf({ leaseSeconds: 2, deliveriesMax: 1 }), by)
  await lookAtSubscriptions(store)
  const held = await get(store, 5)
  const [, last] = [held.items, held.grant]
  for (let outage = 0; outage < 10; outage += 1) {
    await say(store, 'extend', [last])
    await postgres.kill()
    await after(2_200) // the fault: longer than a lease
    await postgres.start()
    expect((await insist(() => get(store, 5))).items).toEqual([])
    await lookAtSubscriptions(store)
    expect(await statusOf(store)).toMatchObject({ dead: 0, outstanding: 5 })
  }
  expect(await say(store, 'ack', tokensOf(held))).toEqual(Array(5).fill('done'))
})

test('sessions are ended at any moment: each event is delivered or dead, and the order of sources holds', async () => {
  const events = 2_000
  await using store = await ownStore()
  await add(store, 'orders', events, { source: `'s' || n % 20` })
  await putSubscription(
    store,
    configOf({ order: 'source', sourceBatch: 5, deliveriesMax: 100, leaseSeconds: 1, outstandingMax: 300 }),
    by,
  )
  const done = new Set<number>()
  const lastOf = new Map<string, number>()
  let isOver = false
  const work = async () => {
    while (!isOver) {
      const pulled = await insist(() => get(store, 20))
      for (const { event } of pulled.items) expect(event.seq).toBeGreaterThan(lastOf.get(event.source) ?? 0)
      const settled = tokensOf(pulled)
      const results = settled.length === 0 ? [] : await insist(() => say(store, 'ack', settled))
      for (const [index, { event }] of pulled.items.entries()) {
        // Whose answer was lost says that it is settled already.
        if (results[index] !== 'done' && results[index] !== 'already_settled') continue
        done.add(event.seq)
        lastOf.set(event.source, Math.max(lastOf.get(event.source) ?? 0, event.seq))
      }
      if ((await insist(() => floorOf(store))) === events) isOver = true
    }
  }
  const kill = async () => {
    while (!isOver) {
      await insist(() =>
        store.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.2`,
        ),
      )
      await after(30) // the rhythm of the fault, nothing is waited for
    }
  }
  await Promise.all([work(), work(), work(), work(), kill()])
  expect(await floorOf(store)).toBe(events)
  expect(await statusOf(store)).toMatchObject({ dead: 0, outstanding: 0, retrying: 0, waiting: 0, lag: 0 })
  expect([...done].sort((a, b) => a - b)).toEqual(upTo(events))
})
