/** Faults while a log of a version before gets its keys. */
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@sekali/testkit/eventually'
import pg from 'pg'
import { expect, test } from 'vitest'
import { readKeysState } from '../src/keys/state.ts'
import { type UpgradeOptions, upgradeKeys } from '../src/keys/upgrade.ts'
import { migrate } from '../src/postgres/migrate.ts'
import { commit } from '../test/commit.ts'
import { all, finding, mixed, olderInsert, ownKeylessStore, ownOlderStore, wrongKeys } from '../test/older.ts'

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

const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`

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

test('no migration waits long for a lock, also none of before the keys, and it comes again', async () => {
  await using store = await ownOlderStore({ few: 3 }, 15)
  const client = await store.pool.connect()
  await client.query('BEGIN; LOCK TABLE operations.operations IN ACCESS SHARE MODE')
  const migrating = migrate(store.url)
  const countWaiting = async () => (await store.pool.query(waiting)).rowCount
  await eventually(async () => expect(await countWaiting()).toBe(1))
  await eventually(async () => expect(await countWaiting()).toBe(0))
  await client.query('COMMIT')
  client.release()
  await migrating
  expect((await readKeysState(store.pool)).left).toBe(3)
})

/** A log whose events have keys, and the check of which is to come. */
async function ownFilledStore() {
  const store = await ownKeylessStore()
  await upgradeKeys(store.url, stopAfter(all))
  await store.pool.query(`ALTER TABLE events ADD CONSTRAINT events_have_keys
    CHECK (event_key IS NOT NULL AND content_tag IS NOT NULL) NOT VALID`)
  return store
}

test('settings of the database end no step that takes long, and a check that is ended says no more than that', async () => {
  await using store = await ownFilledStore()
  const client = new pg.Client(store.url)
  await client.connect()
  await client.query('BEGIN; LOCK TABLE events IN SHARE UPDATE EXCLUSIVE MODE') // as a vacuum does
  const admin = new pg.Client(store.url)
  await admin.connect()
  await admin.query(`DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET statement_timeout = 200', current_database());
    EXECUTE format('ALTER DATABASE %I SET lock_timeout = 100', current_database());
  END $$`)
  const ended = upgradeKeys(store.url).catch((error: Error) => error)
  const [found] = await eventually(async () => {
    const { rows } = await admin.query(waiting)
    expect(rows).toHaveLength(1)
    return rows
  })
  await sleep(500)
  expect((await admin.query(waiting)).rows).toEqual([found])
  await admin.query('SELECT pg_cancel_backend($1)', [found.pid])
  const error = await ended
  expect(error).toMatchObject({ code: 'store_unavailable' })
  expect(String(error)).not.toContain('without a key')
  await client.end()
  await eventually(async () => expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true }))
  await admin.end()
})

test('an event without a key ends the upgrade, and it says so', async () => {
  await using store = await ownKeylessStore()
  await upgradeKeys(store.url, stopAfter(all))
  await store.pool.query('UPDATE events SET event_key = NULL WHERE topic_id = 1 AND seq = 7')
  await expect(upgradeKeys(store.url)).rejects.toThrow('without a key')
})

test('without the pepper no event gets a key, and nobody stores one without', async () => {
  await using store = await ownKeylessStore()
  await store.pool.query('CREATE TABLE kept AS SELECT * FROM installation; DELETE FROM installation')
  const insert = olderInsert("FROM topics t, generate_series(4, 4) n WHERE t.name = 'few'")
  await expect(store.pool.query(insert)).rejects.toMatchObject({
    code: '55000',
    message: expect.stringContaining('installation'),
  })
  await expect(upgradeKeys(store.url)).rejects.toThrow('installation')
  await store.pool.query('INSERT INTO installation SELECT * FROM kept')
  expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true })
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
