import { StoreUnavailable } from '@sekali/core/errors'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { connectStore, withTransaction } from '../src/postgres/connect.ts'
import { sql } from '../src/postgres/drizzle.ts'
import { DataRefused } from '../src/postgres/errors.ts'
import { type MigrationProgress, migrate } from '../src/postgres/migrate.ts'
import { copyEvents } from '../src/turn/copy.ts'

test('eight processes may migrate at once, also an empty database', async () => {
  await using database = await ownDatabase()
  await using store = connectStore({ url: database.url, poolMax: 1, name: 'test' }, quiet)
  // A schema with the user's name comes first for whoever names none: nothing may be made there.
  await store.pool.query(
    `DROP SCHEMA public, projections, access, audit, operations, subscriptions, sekali, drizzle CASCADE;
     CREATE SCHEMA public; CREATE SCHEMA "${new URL(database.url).username}"`,
  )
  await Promise.all(Array.from({ length: 8 }, () => migrate(database.url)))
  const { rows } = await store.pool.query('SELECT count(*)::int FROM drizzle.__drizzle_migrations')
  const { rows: tables } = await store.pool.query(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  )
  expect(rows[0]?.count).toBeGreaterThan(0)
  expect(tables.map(({ table_name }) => table_name)).toEqual([
    'conflicts',
    'dead_letters',
    'entry_ids',
    'events',
    'forks',
    'installation',
    'key_upgrade',
    'spans',
    'topics',
  ])
})

test('a migration says how far it is, and says nothing where nothing is due', async () => {
  await using database = await ownDatabase()
  await using store = connectStore({ url: database.url, poolMax: 1, name: 'test' }, quiet)
  const steps: string[] = []
  const note = ({ migration, of, tables }: MigrationProgress) =>
    steps.push(`${migration} of ${of}, ${Object.keys(tables).length} tables`)
  await migrate(database.url, note)
  expect(steps).toEqual([])
  await store.pool.query(
    'DROP SCHEMA IF EXISTS public, projections, drizzle, access, audit, operations, subscriptions, sekali CASCADE; CREATE SCHEMA public',
  )
  await migrate(database.url, note)
  const of = steps.length
  expect(of).toBeGreaterThan(10)
  expect(steps).toEqual(Array.from({ length: of }, (_, at) => `${at + 1} of ${of}, 0 tables`))
})

test('a backend that dies in a transaction costs its connection, not the process and not the pool', async () => {
  await using store = await ownStore()
  for (let round = 0; round < 20; round++) {
    const cutOff = withTransaction(store, 'test', async (tx) => {
      const { rows } = await tx.execute<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)
      await store.pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      await tx.execute(sql`SELECT 1`)
    })
    await expect(cutOff).rejects.toThrow(StoreUnavailable)
  }
  expect(await withTransaction(store, 'test', async () => 'works')).toBe('works')
  expect(store.pool.waitingCount).toBe(0)
})

test('a COPY that stalls until it is given up fails, and the answer that comes too late ends no process', async () => {
  await using database = await ownDatabase()
  const limits = { statementMs: 200, poolMax: 1 }
  await using store = connectStore({ url: database.url, name: 'test', ...limits }, quiet)
  const hashes = { writeKey: () => undefined, writeTag: () => undefined }
  const stalled = withTransaction(store, 'test', async (tx) => {
    const { rows } = await tx.execute<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)
    const backend = Number(rows[0]?.pid)
    process.kill(backend, 'SIGSTOP')
    try {
      await copyEvents(tx, [
        {
          topicId: 1,
          seq: 1,
          hashes,
          event: event({}),
          receivedAt: '2026-01-01T00:00:00.000000Z',
        },
      ])
    } finally {
      process.kill(backend, 'SIGCONT')
      // What it says now is about a COPY that nobody waits for.
      await tx.execute(sql`SELECT 1`).catch(() => undefined)
    }
  })
  await expect(stalled).rejects.toThrow(StoreUnavailable)
  // An error that nobody listens for would end the process; vitest fails the run for it.
  await eventually(() => expect(store.pool.totalCount).toBe(0))
  expect(await withTransaction(store, 'test', async () => 'works')).toBe('works')
})

test('a failed transaction leaves nothing, and says whose fault it was [P2]', async () => {
  await using store = await ownStore()
  const insert = (name: string) => sql`INSERT INTO topics (name) VALUES (${name})`
  const run = (what: ReturnType<typeof sql>) =>
    withTransaction(store, 'test', async (tx) => {
      await tx.execute(insert('a'))
      await tx.execute(what)
    })
  await expect(run(sql`SELECT 1 / 0`)).rejects.toThrow(DataRefused)
  await expect(run(insert('a'))).rejects.toMatchObject({ sqlState: '23505' })
  await expect(run(sql`SELECT no_such_column`)).rejects.toThrow(StoreUnavailable)
  const { rows } = await store.pool.query('SELECT count(*)::int FROM topics')
  expect(rows[0]).toEqual({ count: 0 })
})

test('what reaches a log of a refused payload is its code, never the payload', async () => {
  await using store = await ownStore()
  const refused = withTransaction(store, 'test', (tx) => tx.execute(sql`SELECT ${'{"secret'}::json`))
  const error = await refused.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(DataRefused)
  expect(String(error)).not.toContain('secret')
})

test('without PostgreSQL a call fails within seconds', async () => {
  await using store = connectStore(
    { url: 'postgres://nobody@127.0.0.1:1/none', poolMax: 1, name: 'test' },
    quiet,
  )
  await expect(withTransaction(store, 'test', async () => 1)).rejects.toThrow(StoreUnavailable)
})
