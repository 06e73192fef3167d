/** A log of a version before that gets its keys by `migrate.ts`, as somebody types it. */
import { connectStore, type Store } from '@sekali/store/connect'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { expect, test } from 'vitest'
import { olderInsert, ownOlderStore } from '../../../packages/store/test/older.ts'

/** Runs it to its end. */
async function migrate(url: string, ...args: string[]) {
  await using app = startApp('consumer/src/migrate.ts', { DATABASE_URL: url }, args)
  const code = await app.exited
  return { code, output: app.output() }
}

/** How many wait for a lock. */
async function waitingMigrations({ pool }: Store): Promise<number> {
  const { rows } = await pool.query(`SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE '%migrate' AND wait_event_type = 'Lock'`)
  return rows[0].n
}

const large = 40_000

test('a large log is left as it is until somebody asks; then it gets its keys, also if that is killed, and the disk is told first', async () => {
  await using store = await ownOlderStore({ orders: large })
  // Empty, and counted as what it says: more than is done unasked.
  await store.pool.query("INSERT INTO topics (name, head) VALUES ('empty', 100000)")
  const unasked = await migrate(store.url)
  expect(unasked).toMatchObject({ code: 0, output: expect.stringContaining('--keys') })
  expect(unasked.output).toMatch(/"events":140000,"keptBytes":\d+,"meanwhileBytes":\d+/)
  await store.pool.query(
    "UPDATE topics SET head = 0 WHERE name = 'empty'; DELETE FROM key_upgrade WHERE up_to = 100000",
  )

  const left = async () => {
    const { rows } = await store.pool.query('SELECT sum(up_to - seq)::int AS left FROM key_upgrade')
    return rows[0].left as number | null
  }
  {
    await using killed = startApp('consumer/src/migrate.ts', { DATABASE_URL: store.url }, ['--keys'])
    await eventually(async () => expect(await left()).toBeLessThan(large - 4_000))
    killed.signal('SIGKILL')
    await killed.exited
  }
  // PostgreSQL notices soon that its client is gone.
  const inTheMiddle = await left()
  expect(inTheMiddle).toBeGreaterThan(0)
  await eventually(async () => {
    const { code, output } = await migrate(store.url, '--keys')
    expect(output).toContain('the upgrade to keys is done')
    expect(output).toMatch(
      /"events":\d+,"keptBytes":\d+,"meanwhileBytes":\d+,"msg":"events of an older version get/,
    )
    expect(code).toBe(0)
  }, 30_000)
  const { rows } = await store.pool.query(`
    SELECT count(*)::int AS wrong FROM events WHERE event_key IS DISTINCT FROM event_key(topic_id, event_id)
      OR content_tag IS DISTINCT FROM content_tag(source, payload::text)`)
  expect(rows).toEqual([{ wrong: 0 }])
})

test('it ends between two spans when it is asked to, and an option that there is not is refused with status 2', async () => {
  await using store = await ownOlderStore({ orders: large })
  {
    await using app = startApp('consumer/src/migrate.ts', { DATABASE_URL: store.url }, ['--keys'])
    await eventually(() => expect(app.output()).toContain('get their keys'))
    app.signal('SIGTERM')
    expect(await app.exited).toBe(0)
    expect(app.output()).toContain('goes on the next time')
  }
  const wrong = await migrate(store.url, '--key')
  expect(wrong).toMatchObject({ code: 2, output: expect.stringContaining('Usage: migrate.ts [--keys]') })
})

test('a migration waits for who has the log locked, without holding up all others meanwhile', async () => {
  await using store = await ownOlderStore({ orders: 3 })
  const client = await store.pool.connect()
  await client.query('BEGIN; LOCK TABLE events IN ACCESS SHARE MODE') // as a dump does
  const migrating = migrate(store.url)
  await eventually(async () => expect(await waitingMigrations(store)).toBe(1))
  // Whoever comes meanwhile gets his turn once it has given up for now.
  expect((await store.pool.query('SELECT count(*)::int AS n FROM events')).rows).toEqual([{ n: 3 }])
  await client.query('COMMIT')
  client.release()
  expect(await migrating).toMatchObject({ code: 0 })
})

test('a turn that is under way when the migration comes ends as if there were none', async () => {
  await using store = await ownOlderStore({ orders: 3 })
  const client = await store.pool.connect()
  await client.query("BEGIN; SELECT FROM topics WHERE name = 'orders' FOR UPDATE")
  const migrating = migrate(store.url)
  await eventually(async () => expect(await waitingMigrations(store)).toBe(1))
  await client.query(olderInsert("FROM topics t, generate_series(4, 4) n WHERE t.name = 'orders'"))
  await client.query("UPDATE topics SET head = 4 WHERE name = 'orders'; COMMIT")
  client.release()
  expect(await migrating).toMatchObject({ code: 0 })
  const { rows } = await store.pool.query('SELECT count(event_key)::int AS keys FROM events')
  expect(rows).toEqual([{ keys: 4 }])
})

test('the last step is for who asks, when all processes are replaced: whatever else is left to do, the status is 1', async () => {
  await using store = await ownOlderStore({ orders: 3 })
  const insert = (n: number) =>
    olderInsert(`FROM topics t, generate_series(${n}, ${n}) n WHERE t.name = 'orders'`)
  // Processes of before run, and none of their sessions is open just now.
  expect(await migrate(store.url)).toMatchObject({ code: 0, output: expect.stringContaining('--keys') })
  await store.pool.query(insert(4))
  {
    await using older = connectStore({ url: store.url, poolMax: 1, name: 'sekali-old' }, quiet)
    await older.pool.query('SELECT 1')
    expect(await migrate(store.url, '--keys')).toMatchObject({
      code: 1,
      output: expect.stringContaining('"older":["sekali-old"]'),
    })
    await older.pool.query('SELECT pg_advisory_lock(7355254193)') // as another run
    expect(await migrate(store.url)).toMatchObject({ code: 0 })
    expect(await migrate(store.url, '--keys')).toMatchObject({
      code: 1,
      output: expect.stringContaining('another process'),
    })
  }
  for (let time = 0; time < 2; time++) {
    await eventually(async () => {
      const { code, output } = await migrate(store.url, '--keys')
      expect([code, output]).toEqual([0, expect.stringContaining('the upgrade to keys is done')])
    })
  }
  await expect(store.pool.query(insert(5))).rejects.toMatchObject({ code: '55000' })
})
