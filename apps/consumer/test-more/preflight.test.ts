/** What is wrong with servers that somebody gives, said before anything is started on them. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connectStore } from '@sekali/store/connect'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownAnswerer, ownSentinel, postgresError } from '@sekali/testkit/impostors'
import { ownBroker, ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'

const program = 'consumer/src/operate/preflight.ts'
const withUrl = (url: string, changes: Partial<URL>): string => Object.assign(new URL(url), changes).href
const nobody = '127.0.0.1:1'

/** What it says, and how it ends. No password may be in it. */
async function look(env: Record<string, string>) {
  await using app = startApp(program, env)
  const code = await app.exited
  const output = app.output()
  for (const url of Object.values(env).filter((one) => URL.canParse(one))) {
    const { password } = new URL(url)
    if (password.length > 3) expect(output).not.toContain(password)
  }
  const said = output.split('\n').filter(Boolean)
  return { code, words: said.map((line) => JSON.parse(line).err?.message ?? JSON.parse(line).msg).join('\n') }
}

async function runSql(url: string, ...statements: string[]) {
  await using store = connectStore({ url, poolMax: 1, name: 'test' }, quiet)
  for (const statement of statements) await store.pool.query(statement)
}

test('servers that are fit are passed over in silence', async () => {
  const env = { REDIS_URL: inject('redisUrl'), DATABASE_URL: inject('postgresUrl') }
  expect(await look(env)).toEqual({ code: 0, words: '' })
  await using migrated = await ownDatabase()
  expect(await look({ ...env, DATABASE_URL: migrated.url })).toEqual({ code: 0, words: '' })
})

test('a URL that is none is named by its variable, with status 2', async () => {
  const { code, words } = await look({ REDIS_URL: 'hello', DATABASE_URL: 'http://u:secret@h/d' })
  expect(code).toBe(2)
  expect(words).toMatch(
    /DATABASE_URL: must be a URL that begins with postgres:\/\/ .*REDIS_URL: must be a URL/,
  )
})

test.each([
  [
    `postgres://sekali:secret@${nobody}/log`,
    /^nothing listens where PostgreSQL should be \(ECONNREFUSED\): start it.*\. Tried user sekali, database log, at 127\.0\.0\.1:1$/,
  ],
  [
    'postgres://sekali:secret@no-such-host.invalid/log',
    /^the name of PostgreSQL's host is not known \((ENOTFOUND|EAI_AGAIN)\): correct the host in DATABASE_URL, or start what has that name\. Tried .*at no-such-host\.invalid:5432$/,
  ],
  [
    `postgres://sekali:secret@${nobody},no-such-host.invalid/log`,
    /^none of the hosts of PostgreSQL is a primary that answers \(NO_PRIMARY\): promote .*\. Tried user sekali, database log, at 127\.0\.0\.1:1 \(ECONNREFUSED\), no-such-host\.invalid:5432 \((ENOTFOUND|EAI_AGAIN)\)$/,
  ],
  [
    (url: string) =>
      withUrl(url, {})
        .replace('@', `@${nobody},`)
        .replace(/:[^:@]+@/, ':wrong@'),
    /^none of the hosts .*127\.0\.0\.1:1 \(ECONNREFUSED\), 127\.0\.0\.1:\d+ \(28P01\)$/,
  ],
  [(url: string) => withUrl(url, { password: 'wrong' }), /refuses the user or the password \(28P01\)/],
  // pg finds that out by itself, and PostgreSQL would wait a minute for what never comes.
  [
    (url: string) => withUrl(url, { password: '' }),
    /^PostgreSQL asks for a password \(no password\): put it into DATABASE_URL\. Tried/,
  ],
  [(url: string) => withUrl(url, { username: 'nobody_here' }), /refuses the user or the password \(28P01\)/],
  [
    (url: string) => withUrl(url, { pathname: '/nothing' }),
    /the database does not exist \(3D000\): create it, or correct.*Tried user \w+, database nothing, at 127/,
  ],
])('of DATABASE_URL %s it says what it is, what to do and where it was tried', async (url, words) => {
  const databaseUrl = typeof url === 'string' ? url : url(inject('postgresUrl'))
  const found = await look({ DATABASE_URL: databaseUrl })
  expect(found).toEqual({ code: 1, words: expect.stringMatching(words) })
})

test.each([
  ['28000', 'no pg_hba.conf entry', /does not let this user in \(28000\): create the role, allow it/],
  ['53300', 'sorry', /no connection left \(53300\): raise max_connections/],
  ['53100', 'could not extend file', /the disk of PostgreSQL is full \(53100\): make room/],
  [
    '08P01',
    'unsupported startup parameter: statement_timeout',
    /pooler.*\(08P01\): point DATABASE_URL at PostgreSQL itself.*ignore_startup_parameters/,
  ],
])('a server that answers %s is explained', async (sqlState, message, words) => {
  await using impostor = await ownAnswerer(postgresError(sqlState, message))
  const { code, words: said } = await look({ DATABASE_URL: `postgres://u:p@127.0.0.1:${impostor.port}/d` })
  expect(code).toBe(1)
  expect(said).toMatch(words)
})

test('a table of somebody else, a user who may make none, and a database that is read-only are named', async () => {
  await using database = await ownDatabase()
  const name = new URL(database.url).pathname.slice(1)
  const user = `u_${name}`
  await runSql(
    database.url,
    'DROP SCHEMA public CASCADE',
    'DROP SCHEMA drizzle CASCADE',
    'CREATE SCHEMA public',
  )
  await runSql(database.url, `CREATE ROLE ${user} LOGIN PASSWORD 'user-secret'`)
  const asUser = withUrl(database.url, { username: user, password: 'user-secret' })
  expect(await look({ DATABASE_URL: asUser })).toEqual({
    code: 1,
    words: expect.stringMatching(/may not make tables in the database: make it the owner.*Tried user u_/),
  })
  await runSql(database.url, 'CREATE TABLE public.events (mine text)')
  expect(await look({ DATABASE_URL: database.url })).toEqual({
    code: 1,
    words: expect.stringMatching(
      /has a table events that Sekali has not made: give Sekali a database of its own/,
    ),
  })
  // Also to who migrates without having looked.
  await using migrate = startApp('consumer/src/migrate.ts', { DATABASE_URL: database.url })
  expect(await migrate.exited).toBe(1)
  expect(migrate.output()).toMatch(
    /which Sekali has not made \(42P07\): give Sekali.*Tried user \w+, database/,
  )
  await runSql(
    database.url,
    `DROP TABLE public.events`,
    `ALTER DATABASE ${name} SET default_transaction_read_only = on`,
  )
  expect(await look({ DATABASE_URL: database.url })).toEqual({
    code: 1,
    words: expect.stringMatching(/^PostgreSQL: the database is read-only.*default_transaction_read_only/),
  })
  await runSql(inject('postgresUrl'), `DROP ROLE ${user}`)
})

test('a Redis that is none, or no use, is named', async () => {
  await using sentinel = await ownSentinel()
  await using cluster = await ownRedis(['--cluster-enabled', 'yes'])
  await using redis = await ownRedis()
  await using operator = await ownBroker(redis.url, ownPrefix())
  await operator.redis.call(
    'ACL',
    'SETUSER',
    'few',
    'on',
    '>few-secret',
    '~*',
    '&*',
    '+@all',
    '-xadd',
    '-eval',
  )
  const few = withUrl(redis.url, { username: 'few', password: 'few-secret' })
  const cases = [
    [
      `redis://${nobody}`,
      /^nothing listens where Redis should be \(ECONNREFUSED\).*Tried at 127\.0\.0\.1:1$/,
    ],
    [
      withUrl(redis.url, { username: '', password: '' }),
      /asks for a password \(NOAUTH\): put it into REDIS_URL/,
    ],
    [
      withUrl(redis.url, { password: 'wrong' }),
      /refuses the user or the password \(WRONGPASS\).*Tried user default/,
    ],
    [few, /does not allow a command to this user \(NOPERM.*Tried user few/],
    [`redis://127.0.0.1:${sentinel.port}`, /leads to a Sentinel/],
    [cluster.url, /node of a Redis Cluster/],
  ] as const
  for (const [url, words] of cases) {
    expect(await look({ REDIS_URL: url })).toEqual({ code: 1, words: expect.stringMatching(words) })
  }
  await operator.redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  const policy = await look({ REDIS_URL: redis.url })
  expect(policy.words).toMatch(/maxmemory-policy is allkeys-lru, must be noeviction/)
  await operator.redis.config('SET', 'maxmemory-policy', 'noeviction')
  await operator.redis.replicaof('127.0.0.1', 1)
  const replica = await look({ REDIS_URL: redis.url })
  expect(replica).toEqual({ code: 1, words: expect.stringMatching(/replica.*point it at the primary/) })
})

test('a PostgreSQL that is starting up is waited for', async () => {
  let asked = 0
  const answer = postgresError('57P03', 'the database system is starting up')
  const server = createServer((socket) => {
    asked += 1
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await using app = startApp(program, { DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/d` })
  await eventually(() => expect(asked).toBeGreaterThan(3))
  expect(app.child.exitCode).toBe(null)
  server.close()
  expect(await app.exited).toBe(1)
  expect(app.output()).toMatch(/ECONNREFUSED/)
})

test('a Redis that is reading its data is waited for', async () => {
  // It looks at its connections after each 1,024 commands of its file.
  await using redis = await ownRedis(['--key-load-delay', '500'])
  await using operator = await ownBroker(redis.url)
  const keys = Array.from({ length: 6_000 }, (_, index) => operator.redis.set(`k${index}`, ''))
  await Promise.all(keys)
  await redis.kill()
  let isLoaded = false
  const loaded = redis.start().then(() => {
    isLoaded = true
  })
  await eventually(async () => expect(await redis.log()).toMatch(/Reading RDB base file|DB loaded from base/))
  expect(isLoaded).toBe(false)
  expect(await look({ REDIS_URL: redis.url })).toEqual({ code: 0, words: '' })
  await loaded
})
