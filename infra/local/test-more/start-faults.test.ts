/** What npm start says of servers that it is given, before it starts anything, and of what is amiss once it runs. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import { startRedis } from '@sekali/servers/redis-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { ownAnswerer, postgresError } from '@sekali/testkit/impostors'
import { expect, test } from 'vitest'
import { startService } from '../test/start.ts'

test('servers that are no use are named with what to do, and nothing is started', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using postgres = await startPostgres({ dir: join(folder.path, 'my-postgres') })
  const data = join(folder.path, 'data')
  const databaseUrl = Object.assign(new URL(postgres.url), { password: 'wrong-secret' }).href
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: 'redis://me:other-secret@127.0.0.1:1' }
  await using both = await startService(data, [], env)
  expect(await both.exited).toBe(1)
  expect(both.said()).toMatch(/Nothing was started\.\n/)
  expect(both.said()).not.toContain('ended by an error')
  expect(both.said()).toMatch(
    /PostgreSQL refuses the user or the password \(28P01\): correct them in DATABASE_URL\. Tried user \w+, database postgres, at 127\.0\.0\.1:\d+\n/,
  )
  expect(both.said()).toMatch(
    /nothing listens where Redis should be \(ECONNREFUSED\).*Tried user me, at 127\.0\.0\.1:1\n/,
  )
  expect(both.said()).not.toMatch(/secret|at .*\.ts:\d+/)

  // Nor are our own Redis and PostgreSQL, where only one is given.
  await using one = await startService(data, [], { DATABASE_URL: databaseUrl, REDIS_URL: '' })
  expect(await one.exited).toBe(1)
  const made = await readdir(data)
  expect(made).toContain('logs')
  for (const server of ['redis', 'postgres']) expect(made).not.toContain(server)
  await using hello = await startService(data, [], { REDIS_URL: 'hello' })
  expect(await hello.exited).toBe(2)
  expect(hello.said()).toMatch(/REDIS_URL: must be a URL that begins with redis:\/\//)
})

test('a Redis that is not durable is named in the banner, with the remedy', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const redis = await startRedis({ dir: join(folder.path, 'my-redis'), args: ['--appendonly', 'no'] })
  await using _redis = redis
  await using service = await startService(join(folder.path, 'data'), ['--consumers', '1'], {
    REDIS_URL: redis.url,
  })
  await eventually(() => expect(service.said()).toContain('Ctrl-C stops everything'), 50_000)
  expect(service.said()).toMatch(
    /What the doctor finds:\n\n {2}problem: redis\.appendonly: no: a crash or a restart loses accepted events\. CONFIG SET appendonly yes/,
  )
  const running = await service.running()
  for (const { health } of [...running.consumers, ...running.projectors, ...running.dispatchers]) {
    expect((await fetch(`${health}/readyz`)).status).toBe(200)
  }
  expect(running.projectors).toHaveLength(1)
  expect(existsSync(join(folder.path, 'data', 'redis'))).toBe(false)
})

test('a server that is waited for is named after a while', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using mute = await ownAnswerer(postgresError('57P03', 'the database system is starting up'))
  const databaseUrl = `postgres://u:p@127.0.0.1:${mute.port}/d`
  await using service = await startService(join(folder.path, 'data'), [], { DATABASE_URL: databaseUrl })
  await eventually(() => expect(service.said()).toMatch(/DATABASE_URL names is still waited for/), 20_000)
  service.child.kill('SIGTERM')
  expect(await service.exited).toBe(130)
})
