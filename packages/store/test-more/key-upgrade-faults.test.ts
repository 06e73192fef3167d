/** Faults while a log of a version before gets its keys. */
import { eventually } from '@sekali/testkit/eventually'
import pg from 'pg'
import { expect, test } from 'vitest'
import { type UpgradeOptions, upgradeKeys } from '../src/keys/upgrade.ts'
import { commit } from '../test/commit.ts'
import { all, finding, mixed, ownKeylessStore, wrongKeys } from '../test/older.ts'

const stopAfter = (events: number): UpgradeOptions => {
  const stop = new AbortController()
  let filled = 0
  return {
    signal: stop.signal,
    onFilled: (more) => {
      filled += more
      if (filled >= events) stop.abort()
    },
  }
}

test('an upgrade that is stopped, or whose session is killed, goes on where it was', async () => {
  await using store = await ownKeylessStore()
  const stopped = await upgradeKeys(store.url, stopAfter(1))
  expect(stopped).toMatchObject({ left: all - 1_024, isUsed: false })
  expect(await finding(store)).toMatchObject({ message: expect.stringContaining('25 % of 4,003') })
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'sekali/2-migrate'`
  let ended: Promise<unknown> | undefined
  const killed = upgradeKeys(store.url, {
    onFilled: () => {
      ended ??= store.pool.query(end)
    },
  })
  await expect(killed).rejects.toMatchObject({ code: 'store_unavailable' })
  await ended
  const filled: number[] = []
  const done = await eventually(async () => {
    const state = await upgradeKeys(store.url, { onFilled: (more) => filled.push(more) })
    expect(state).toMatchObject({ isRequired: true })
    return state
  })
  expect(done).toMatchObject({ left: 0 })
  expect(filled.reduce((sum, more) => sum + more, 0)).toBeLessThan(all - 1_024)
  expect(await wrongKeys(store)).toBe(0)
})

test('an index that a crash has left half made is made again', async () => {
  await using store = await ownKeylessStore()
  const reader = new pg.Client(store.url)
  await reader.connect()
  // Whoever reads in a transaction keeps the index from becoming valid.
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM installation')
  const making = upgradeKeys(store.url).catch((error: unknown) => error)
  const index = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('events_key_unique')`
  await eventually(async () => expect((await store.pool.query(index)).rows).toEqual([{ valid: false }]))
  await store.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'CREATE UNIQUE INDEX%'`)
  expect(await making).toMatchObject({ code: 'store_unavailable' })
  await reader.end()
  expect(await commit(store, mixed('new'))).toEqual({ stored: 1, duplicates: 2, conflicts: 1 })
  await eventually(async () => expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true }))
  expect((await store.pool.query(index)).rows).toEqual([{ valid: true }])
})

test('a large log is not begun unasked, and two runs do not meet', async () => {
  await using store = await ownKeylessStore()
  expect(await upgradeKeys(store.url, { eventsMax: all - 1 })).toMatchObject({ left: all, isUsed: false })
  let second: ReturnType<typeof upgradeKeys> | undefined
  const first = upgradeKeys(store.url, {
    onFilled: () => {
      second ??= upgradeKeys(store.url)
    },
  })
  expect(await first).toMatchObject({ isRequired: true })
  expect(await second).toBeUndefined()
})

test('each installation gets a pepper of its own', async () => {
  const peppers = new Set<string>()
  for (let time = 0; time < 2; time++) {
    await using store = await ownKeylessStore()
    const { rows } = await store.pool.query(`SELECT encode(pepper, 'hex') AS pepper FROM installation`)
    expect(rows).toHaveLength(1)
    peppers.add(rows[0].pepper)
  }
  expect(peppers.size).toBe(2)
})
