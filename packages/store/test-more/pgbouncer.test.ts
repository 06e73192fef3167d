/** PostgreSQL behind a PgBouncer, which gives each transaction the session that is free. It is installed where it is missing. */
import type { TopicName } from '@sekali/core/event'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownStore } from '@sekali/testkit/own'
import { ownPgBouncer } from '@sekali/testkit/pgbouncer'
import { quiet } from '@sekali/testkit/quiet'
import { at, event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { beforeAll, expect, inject, test } from 'vitest'
import { upgradeKeys } from '../src/keys/upgrade.ts'
import { examineStore } from '../src/operate/doctor.ts'
import { connectStore, withTransaction } from '../src/postgres/connect.ts'
import { migrate } from '../src/postgres/migrate.ts'
import { readTopic } from '../src/read/topic.ts'

beforeAll(() => requireDebian('pgbouncer'))

const modes = ['session', 'transaction']
const connect = (url: string) =>
  connectStore({ url, poolMax: 4, name: 'test', statementMs: 4_321, idleInTransactionMs: 6_543 }, quiet)

test.each(modes)(
  'in %s mode a transaction has the settings of ours, whatever the database has',
  async (mode) => {
    await using database = await ownDatabase()
    await using admin = connect(database.url)
    await admin.pool.query(
      `ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET timezone = 'Asia/Jakarta'`,
    )
    await admin.pool.query(
      `ALTER DATABASE ${new URL(database.url).pathname.slice(1)} SET datestyle = 'German'`,
    )
    await using pooler = await ownPgBouncer(database.url, { mode })
    await using store = connect(pooler.url)
    const settings = async (query: (text: string) => Promise<{ rows: Record<string, unknown>[] }>) =>
      (
        await query(`SELECT current_setting('statement_timeout') AS statement, current_setting('TimeZone') AS zone,
        current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('plan_cache_mode') AS plans,
        current_setting('jit') AS jit, '2025-12-08 10:00:00Z'::timestamptz::text AS printed`)
      ).rows[0]
    const inUtc = { zone: 'UTC', printed: '2025-12-08 10:00:00+00' }
    expect(await settings((text) => store.pool.query(text))).toMatchObject({ statement: '0', ...inUtc })
    expect(
      await withTransaction(store, 'test', ({ $client }) => settings((text) => $client.query(text))),
    ).toEqual({
      statement: '4321ms',
      idle: '6543ms',
      plans: 'force_custom_plan',
      jit: 'off',
      ...inUtc,
    })
    expect(store.isPooled).toBe(true)
    const timeouts = (await examineStore(store)).find(({ check }) => check === 'postgres.timeouts')
    expect(timeouts).toMatchObject({ level: 'warning', remedy: expect.stringContaining('ALTER ROLE') })
  },
)

test('a pooler that drops what it is told, and does not refuse it, is noticed', async () => {
  await using database = await ownDatabase()
  const dropped = 'ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout,options'
  await using pooler = await ownPgBouncer(database.url, { mode: 'transaction', settings: [dropped] })
  await using store = connect(pooler.url)
  await withTransaction(store, 'test', async ({ $client }) => {
    const { rows } = await $client.query('SHOW statement_timeout')
    expect(rows).toEqual([{ statement_timeout: '4321ms' }])
  })
  expect(store.isPooled).toBe(true)
  await using direct = connect(database.url)
  await direct.pool.query('SELECT')
  expect(direct.isPooled).toBe(false)
})

test.each(modes)(
  'in %s mode turns of many clients share few sessions, prepared or not [P4] [P5]',
  async (mode) => {
    await using own = await ownStore()
    const size = mode === 'session' ? 16 : 3
    await using pooler = await ownPgBouncer(own.url, { mode, settings: [`default_pool_size = ${size}`] })
    await using one = connect(pooler.url)
    await using two = connect(pooler.url)
    const topics = ['a', 'b', 'c', 'd'] as TopicName[]
    const count = 40
    const storeTopic = async (topic: TopicName, index: number) => {
      for (let n = 1; n <= count; n++) {
        // Each id twice: what is known is looked up by a statement that has a name where sessions are our own.
        await storeEvents(n % 2 === index % 2 ? one : two, [
          event({ topic, eventId: `e${Math.ceil(n / 2)}` }),
        ])
        // Somebody takes away what was prepared.
        if (n % 10 === 0) await one.pool.query('DEALLOCATE ALL')
      }
    }
    await Promise.all(topics.map(storeTopic))
    for (const topic of topics) {
      const { events } = await readTopic(own, { topic, after: at(0), limit: 100 })
      expect(events.map(({ eventId }) => eventId)).toEqual(
        Array.from({ length: count / 2 }, (_, n) => `e${n + 1}`),
      )
    }
  },
)

test.each(modes)('in %s mode migrations wait for each other, and leave no lock behind', async (mode) => {
  const name = `test_migrated_${mode}`
  await using server = connect(inject('postgresUrl'))
  await server.pool.query(`CREATE DATABASE ${name}`)
  const url = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href
  try {
    await using pooler = await ownPgBouncer(url, { mode })
    await Promise.all([1, 2, 3].map(() => migrate(pooler.url)))
    expect(await upgradeKeys(pooler.url)).toMatchObject({ isUsed: true, left: 0 })
    await using behind = connect(pooler.url)
    // What they were told is not left for the next: a session is somebody else's then.
    expect((await behind.pool.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '0' }])
    await using store = connect(url)
    // A session that was just left ends by itself, and its lock with it.
    await eventually(async () => {
      const { rows } = await store.pool.query(`SELECT
      (SELECT count(*) FROM topics)::integer AS topics, (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))::integer AS locks`)
      expect(rows).toEqual([{ topics: 0, locks: 0 }])
    })
  } finally {
    await server.pool.query(`DROP DATABASE ${name} WITH (FORCE)`)
  }
})
