import { eventually } from '@sekali/testkit/eventually'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { idsOf, numbered, ownStack } from './stack.ts'

test('with PostgreSQL gone nothing becomes a dead letter, and the backlog is stored when it is back [P9]', async () => {
  await using postgres = await ownPostgres()
  await using stack = await ownStack(inject('redisUrl'), postgres.url)
  await using consumer = stack.consumer('c1')
  await stack.append(numbered(50))
  await stack.settled()
  await postgres.kill()
  await stack.append(numbered(50, 51))
  await eventually(() => expect(consumer.output()).toContain('"failures":2'))
  await postgres.start()
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0, dead: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
  expect(consumer.child.exitCode).toBe(null)
})

test('a server that was demoted to read-only stores nothing, loses nothing and is used again when it recovers [P9]', async () => {
  await using stack = await ownStack()
  await using consumer = stack.consumer('c1')
  await stack.append(numbered(10))
  await stack.settled()
  const { pool, url } = stack.store
  const demote = (on: string) =>
    pool.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = ${on}`)
  await demote('on')
  await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'sekali/%-c1'`)
  await stack.append(numbered(10, 11))
  await eventually(() => expect(consumer.output()).toContain('25006'))
  await demote('off')
  expect(await stack.settled()).toMatchObject({ stored: 20, duplicates: 0, dead: 0 })
})
