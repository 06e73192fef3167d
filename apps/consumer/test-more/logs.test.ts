// What publishers send is theirs: no log has any of it, whatever fails, ours or a server's.
import { randomBytes } from 'node:crypto'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { appendRaw, numbered, type OwnStack, ownStack } from '../test/stack.ts'

const secret = 'tell-nobody'
const payload = JSON.stringify({ secret })
const time = '2025-12-08T10:00:00.000000Z'

/** Events that meet what can refuse them: their ids, PostgreSQL's types, its limits, an operator's constraint. */
async function failInAllWays(stack: OwnStack): Promise<void> {
  const { broker, store } = stack
  const told = { payload }
  // So many are new that the next are taken for new, too, and the unique key refuses them.
  await stack.append(numbered(200, 1, told))
  await stack.settled()
  await stack.append(numbered(5, 198, told))
  await stack.settled()
  await stack.append(numbered(200, 300, told))
  await stack.settled()
  await stack.append(numbered(5, 300, { payload: JSON.stringify({ secret, other: true }) }))
  await appendRaw(broker, 'bad-json', time, 's', `{"secret":"${secret}",}`)
  await appendRaw(broker, 'deep', time, 's', `${'['.repeat(30_000)}"${secret}"${']'.repeat(30_000)}`)
  await appendRaw(broker, 'nul', time, 's', `"${secret}\0"`)
  await appendRaw(broker, 'bad-time', '2025-13-08T10:00:00.000000Z', 's', payload)
  await appendRaw(broker, randomBytes(5_000).toString('hex'), time, 's', payload)
  await stack.settled()
  await store.pool.query(`ALTER TABLE events ADD CHECK (source <> 'refused')`)
  await appendRaw(broker, 'checked', time, 'refused', payload)
  expect(await stack.settled()).toMatchObject({ stored: 402, duplicates: 3, conflicts: 5, dead: 6 })
}

/** A turn that waits for a lock until its statement is cancelled. */
async function beCancelled(stack: OwnStack, log: () => Promise<string>): Promise<void> {
  const client = await stack.store.pool.connect()
  await client.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE')
  await stack.append(numbered(20, 900, { payload }))
  await eventually(async () => expect(await log()).toContain('canceling statement'), 20_000)
  await client.query('ROLLBACK')
  client.release()
  await stack.settled()
}

const lax = {
  log_error_verbosity: 'default',
  log_min_error_statement: 'error',
  log_parameter_max_length: '-1',
  log_parameter_max_length_on_error: '-1',
  log_min_duration_statement: '0',
}

test.for([
  ['of our own', {}],
  ['of an operator who logs what he can', lax],
] as const)('no payload gets into the logs of a PostgreSQL %s', async ([, settings]) => {
  await using postgres = await ownPostgres(settings)
  await using stack = await ownStack(inject('redisUrl'), postgres.url)
  await using consumer = stack.consumer('one')
  await failInAllWays(stack)
  await beCancelled(stack, postgres.log)
  expect(await postgres.log()).toMatch(/ERROR: {2}duplicate key value/)
  expect(await postgres.log()).not.toContain(secret)
  expect(consumer.output()).not.toContain(secret)
})

test('no payload gets into the log of a PostgreSQL that lets its clients set nothing', async () => {
  await using postgres = await ownPostgres({ log_error_verbosity: 'default' })
  await using stack = await ownStack(inject('redisUrl'), postgres.url)
  await stack.store.pool.query(`CREATE ROLE plain LOGIN PASSWORD 'plain';
    GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO plain`)
  const url = new URL(stack.store.url)
  url.username = 'plain'
  url.password = 'plain'
  await using consumer = stack.consumer('one', { DATABASE_URL: url.href })
  await stack.append(numbered(200, 1, { payload }))
  await stack.settled()
  await stack.append(numbered(5, 198, { payload }))
  await stack.settled()
  await beCancelled(stack, postgres.log)
  expect(await postgres.log()).toMatch(/ERROR: {2}duplicate key value/)
  expect(await postgres.log()).not.toContain(secret)
  expect(consumer.output()).not.toContain(secret)
})

test('no payload gets into what Redis remembers of slow commands, or writes when it crashes', async () => {
  await using redis = await ownRedis()
  await using stack = await ownStack(redis.url)
  const busy = 'local sum = 0 for i = 1, 5000000 do sum = sum + i end return sum'
  await stack.broker.redis.call('EVAL', busy, '0', payload)
  expect(JSON.stringify(await stack.broker.redis.call('SLOWLOG', 'GET', '128'))).not.toContain(secret)
  await using other = await ownBroker(redis.url)
  await other.redis.config('SET', 'busy-reply-threshold', '1')
  stack.broker.redis.call('EVAL', 'while true do end', '0', payload).catch(() => undefined)
  await eventually(() => expect(other.redis.ping()).rejects.toThrow('BUSY'))
  redis.server.kill('SIGSEGV')
  await redis.server.exited
  expect(await redis.log()).not.toContain(secret)
})
