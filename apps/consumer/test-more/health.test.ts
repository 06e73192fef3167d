/** A consumer as what watches it sees it: ready when it can store, and if not, why. */
import { healthOf } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { ownStack } from '../test/stack.ts'

/** A checker would have given up. */
const answerMsMax = 1_500 + 500

const says = (url: string, expected: Record<string, unknown>) =>
  eventually(async () => {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(answerMsMax) })
    expect({ code: answer.status, ...((await answer.json()) as object) }).toMatchObject(expected)
  })

const ready = { code: 200, status: 'ready', broker: 'ok', store: 'ok', problems: [] }

test('a consumer is ready when it can store, and says which server keeps it from that', async () => {
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using stack = await ownStack(redis.url, postgres.url)
  await using consumer = stack.consumer('one')
  const url = await healthOf(consumer)
  expect(new URL(url).hostname).toBe('127.0.0.1')
  await says(url, ready)

  await postgres.kill()
  await says(url, { code: 503, status: 'not_ready', broker: 'ok', store: 'unavailable' })
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await postgres.start()
  await says(url, ready)

  await redis.kill()
  await says(url, {
    code: 503,
    broker: 'unavailable',
    store: 'ok',
    problems: [expect.stringMatching(/nothing listens where Redis should be/)],
  })
  await redis.start()
  await says(url, ready)
})

test('a Redis that hangs is answered for in time', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  await using consumer = stack.consumer('one')
  const url = await healthOf(consumer)
  await says(url, ready)
  redis.server.kill('SIGSTOP')
  await says(url, { code: 503, broker: 'unavailable', store: 'ok' })
  redis.server.kill('SIGCONT')
  await says(url, ready)
})

test('a table that somebody holds, a role that may not write and a database that is read-only are not ready', async () => {
  await using stack = await ownStack()
  await using consumer = stack.consumer('one')
  const url = await healthOf(consumer)
  await says(url, ready)

  const holder = await stack.store.pool.connect()
  await holder.query('BEGIN; LOCK TABLE topics IN ACCESS EXCLUSIVE MODE')
  await says(url, { code: 503, store: 'unavailable' })
  await holder.query('ROLLBACK')
  holder.release()
  await says(url, ready)

  const role = `reader_${stack.broker.prefix}`
  await stack.store.pool.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO ${role}`,
  )
  const asReader = Object.assign(new URL(stack.store.url), { username: role, password: 'pw' }).href
  await using reader = stack.consumer('two', { DATABASE_URL: asReader })
  await says(await healthOf(reader), {
    code: 503,
    store: 'unfit',
    problems: [expect.stringMatching(/may not do that in PostgreSQL \(42501\)/)],
  })

  const database = new URL(stack.store.url).pathname.slice(1)
  await stack.store.pool.query(`ALTER DATABASE ${database} SET default_transaction_read_only = on`)
  await using late = stack.consumer('three')
  await says(await healthOf(late), {
    code: 503,
    store: 'unfit',
    problems: [expect.stringMatching(/read-only.*\(25006\)/)],
  })
  await stack.store.pool.query(
    `SET default_transaction_read_only = off; DROP OWNED BY ${role}; DROP ROLE ${role}`,
  )
})
