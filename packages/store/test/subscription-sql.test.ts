/** What workers with tables of their own may call, and what the roles may do. */
import { expect, test } from 'vitest'
import { pull } from '../src/subscriptions/pull.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import {
  add,
  by,
  configOf,
  floorOf,
  get,
  oneSession,
  say,
  seqsOf,
  subscribed,
  tokensOf,
} from './subscriptions.ts'

test('a worker settles in its own transaction, with what it writes or not at all', async () => {
  await using store = await subscribed(3)
  await store.pool.query('CREATE TABLE mails (seq bigint PRIMARY KEY)')
  const [one, two, three] = tokensOf(await get(store, 3))
  await using session = oneSession(store)
  const { pool } = session
  const results = async (sql: string, ...values: unknown[]) =>
    (await pool.query<{ settle: string }>(sql, values)).rows[0]?.settle
  await pool.query('BEGIN; INSERT INTO mails VALUES (1)')
  expect(await results('SELECT sekali.settle($1)', one)).toBe('done')
  await pool.query('ROLLBACK')
  expect(await floorOf(store)).toBe(0)
  await pool.query('BEGIN; INSERT INTO mails VALUES (1)')
  expect(await results('SELECT sekali.settle($1)', one)).toBe('done')
  await pool.query('COMMIT')
  expect(await floorOf(store)).toBe(1)
  expect(await results('SELECT sekali.settle($1)', one)).toBe('already_settled')
  expect(await results(`SELECT sekali.settle($1, 'nak', 0, 'busy')`, two)).toBe('done')
  expect(await results(`SELECT sekali.settle($1, action => 'term', reason => 'poison')`, three)).toBe('done')
  expect(await results('SELECT sekali.settle($1)', 'nonsense')).toBe('unknown')
  expect(await results('SELECT sekali.settle($1)', null)).toBe('unknown')
  await expect(pool.query(`SELECT sekali.settle($1, 'done')`, [two])).rejects.toThrow(/action must be/)
  expect(seqsOf(await get(store, 9))).toEqual([2])
})

test.each(['REPEATABLE READ', 'SERIALIZABLE'])(
  'a transaction that sees an old state is refused: %s',
  async (level) => {
    await using store = await subscribed(3)
    const first = await get(store, 1)
    await using session = oneSession(store)
    await session.pool.query(`BEGIN ISOLATION LEVEL ${level}; SELECT 1`)
    await expect(session.pool.query('SELECT sekali.settle($1)', tokensOf(first))).rejects.toMatchObject({
      code: '0A000',
    })
    await session.pool.query('ROLLBACK')
    // Whatever a role or database has as its default, ours are as they must be.
    await session.pool.query(`SET default_transaction_isolation = '${level.toLowerCase()}'`)
    await session.pool.query('SET default_transaction_read_only = on')
    expect(await say(session, 'ack', [first.grant])).toEqual(['done'])
    expect(seqsOf(await get(session, 1))).toEqual([2])
    expect(await putSubscription(session, configOf({ name: 'other' }), by)).toMatchObject({
      outcome: 'created',
    })
  },
)

test('whoever waits for a turn sees what the one before has done', async () => {
  await using store = await subscribed(3)
  await using session = oneSession(store)
  await session.pool.query('BEGIN')
  const { rows } = await session.pool.query<{ seq: string | null }>(
    `SELECT seq FROM subscriptions.pull('mailer', 2, 1000, NULL, repeat('0', 32))`,
  )
  expect(rows.map(({ seq }) => seq)).toEqual(['1', '2', null])
  const waiting = get(store, 9)
  await add(store, 'orders', 1)
  await session.pool.query('COMMIT')
  expect(seqsOf(await waiting)).toEqual([3, 4])
})

test('nobody may call what is not granted', async () => {
  await using store = await subscribed(1)
  const { rows } = await store.pool.query<{ name: string }>(
    `SELECT f.oid::regprocedure::text AS name FROM pg_proc f
     WHERE f.pronamespace IN ('subscriptions'::regnamespace, 'sekali'::regnamespace)
       AND has_function_privilege('pg_read_all_stats', f.oid, 'EXECUTE')`,
  )
  expect(rows).toEqual([])
})

test('texts of clients are data, whatever is in them', async () => {
  await using store = await subscribed(2)
  const evil = `'; DROP TABLE subscriptions.dead; -- \\' \0 $1`
  const pulled = await get(store, 1, { worker: evil })
  expect(await say(store, 'term', tokensOf(pulled), { reason: evil })).toEqual(['done'])
  expect(await say(store, 'ack', [evil])).toEqual(['unknown'])
  expect(await pull(store, { name: evil, max: 1, bytesMax: 9 })).toBe('unknown')
  const { rows } = await store.pool.query('SELECT reason FROM subscriptions.dead')
  expect(rows).toEqual([{ reason: evil.replace('\0', '') }])
})
