/** Redis and PostgreSQL over TLS, with an authority of one's own: that all apps take it, and what they say when it fails. */
import { chmod, chown, copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connectStore, type Store } from '@sekali/store/connect'
import { startApp, startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { type BreakableRedis, ownFolder, ownPostgres } from '@sekali/testkit/servers'
import { beforeAll, expect, inject, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'
import { type Certificate, createAuthority } from './certificates.ts'
import { ownTlsRedis, withUrl } from './tls-redis.ts'

beforeAll(() => requireDebian('openssl'))

/** A PostgreSQL with TLS. `admin` is a superuser. */
async function ownTlsPostgres(certificate: Certificate) {
  const stack = new AsyncDisposableStack()
  const postgres = stack.use(await ownPostgres())
  const url = withUrl(postgres.url, { hostname: 'localhost' })
  const admin = stack.use(connectStore({ url: `${url}?sslmode=no-verify`, poolMax: 1, name: 'test' }, quiet))
  const plain = stack.use(connectStore({ url, poolMax: 1, name: 'test' }, quiet))
  await serveWith(plain, certificate)
  await plain.pool.query('ALTER SYSTEM SET ssl = on')
  await reload(plain)
  await plain.pool.query('CREATE DATABASE sekali')
  return {
    url: withUrl(url, { pathname: '/sekali' }),
    admin,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function folderOf({ pool }: Store): Promise<string> {
  const { rows } = await pool.query<{ data_directory: string }>('SHOW data_directory')
  return rows[0]?.data_directory ?? ''
}

/** It takes a key only that is its user's, and closed to all others. */
async function serveWith(store: Store, { cert, key }: Certificate): Promise<void> {
  const folder = await folderOf(store)
  const owner = await stat(folder)
  for (const [from, name] of [
    [cert, 'server.crt'],
    [key, 'server.key'],
  ] as const) {
    await copyFile(from, join(folder, name))
    await chown(join(folder, name), owner.uid, owner.gid)
    await chmod(join(folder, name), 0o600)
  }
}

const reload = ({ pool }: Store) => pool.query('SELECT pg_reload_conf()')

/** The apps, as they are started by whoever has an authority of his own: by file in the URL, and for all of Node. */
test('migrations, gateway, consumer and projector speak TLS to both servers', async () => {
  await using folder = await ownFolder()
  const authority = createAuthority(folder.path)
  const certificate = authority.sign('server', 'DNS:localhost')
  await using redis = await ownTlsRedis(certificate, authority.ca)
  await using postgres = await ownTlsPostgres(certificate)
  const env = {
    REDIS_URL: redis.secure,
    NODE_EXTRA_CA_CERTS: authority.ca,
    DATABASE_URL: `${postgres.url}?sslmode=verify-full`,
  }
  const byFile = { DATABASE_URL: `${env.DATABASE_URL}&sslrootcert=${authority.ca}` }
  await using migration = startApp('consumer/src/migrate.ts', byFile)
  expect(await migration.exited, migration.output()).toBe(0)
  await using gateway = await startGateway({ ...env, ...byFile })
  await using consumer = startApp('consumer/src/main.ts', env)
  await using projector = startApp('projector/src/main.ts', env)

  const answer = await fetch(`${gateway.url}/publish`, {
    ...post(eventBody({ topic: 'orders' })),
    headers: { 'Content-Type': 'application/json', Prefer: 'wait=20' },
  })
  expect(await answer.json(), consumer.output()).toMatchObject({ status: 'stored' })
  await eventually(async () => {
    const projections = await (await fetch(`${gateway.url}/projections`)).text()
    expect(projections, projector.output()).toMatch(/"live"/)
  })
  expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({ status: 'ready', warnings: [] })
  const { rows } = await postgres.admin.pool.query(`
    SELECT application_name AS name, bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE datname = 'sekali' GROUP BY 1 ORDER BY 1`)
  expect(rows.length).toBeGreaterThanOrEqual(3)
  for (const row of rows) expect(row).toEqual({ name: row.name, ssl: true })
})

/** What a gateway says at its start, and in /readyz, of two servers that cannot be used; and what migrations say. */
async function said(env: Record<string, string>, words: Pick<Fault, 'redis' | 'postgres'>) {
  await using migration = startApp('consumer/src/migrate.ts', env)
  await using gateway = await startGateway(env)
  const ready = await eventually(async () => {
    const answer = await fetch(`${gateway.url}/readyz`)
    expect(answer.status).toBe(503)
    const { problems, warnings } = (await answer.json()) as { problems: string[]; warnings: string[] }
    expect([problems.length, warnings.length], gateway.output()).toEqual([1, 1])
    return { redis: problems[0] ?? '', postgres: warnings[0] ?? '' }
  })
  // A reset may come before its reason, so log and answer need not be the same.
  await eventually(async () => {
    expect(gateway.output()).toMatch(words.redis)
    expect(gateway.output()).toMatch(words.postgres)
  })
  expect(await migration.exited).toBe(1)
  return { ...ready, migration: migration.output(), all: migration.output() + gateway.output() }
}

interface Servers {
  readonly redis: BreakableRedis & { readonly secure: string }
  readonly postgres: { readonly url: string; readonly admin: Store }
  readonly authority: ReturnType<typeof createAuthority>
}

interface Fault {
  readonly name: string
  make(servers: Servers): Promise<Record<string, string>> | Record<string, string>
  readonly redis: RegExp
  readonly postgres: RegExp
}

const full = (url: string) => `${url}?sslmode=verify-full`

const faults: readonly Fault[] = [
  {
    name: 'an authority that nobody has named',
    make: ({ redis, postgres }) => ({ REDIS_URL: redis.secure, DATABASE_URL: full(postgres.url) }),
    redis: /the certificate of Redis is not trusted \(\w+\): .*NODE_EXTRA_CA_CERTS/,
    postgres: /the certificate of PostgreSQL is not trusted \(\w+\): .*NODE_EXTRA_CA_CERTS.*sslrootcert/,
  },
  {
    name: 'sslmode=require, which pg reads as verify-full',
    make: ({ redis, postgres }) => ({
      REDIS_URL: redis.secure,
      DATABASE_URL: `${postgres.url}?sslmode=require`,
    }),
    redis: /is not trusted/,
    postgres: /the certificate of PostgreSQL is not trusted/,
  },
  {
    name: 'a certificate for another name',
    make: ({ redis, postgres, authority }) => ({
      REDIS_URL: withUrl(redis.secure, { hostname: '127.0.0.1' }),
      DATABASE_URL: full(withUrl(postgres.url, { hostname: '127.0.0.1' })),
      NODE_EXTRA_CA_CERTS: authority.ca,
    }),
    redis: /the certificate of Redis is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\): .*REDIS_URL/,
    postgres: /the certificate of PostgreSQL is for another name \(\w+\): .*DATABASE_URL/,
  },
  {
    name: 'servers that speak no TLS',
    make: ({ redis }) => ({
      REDIS_URL: withUrl(redis.url, { protocol: 'rediss:' }),
      DATABASE_URL: full(inject('postgresUrl')),
    }),
    // It waits for the end of what it takes for a line.
    redis: /Redis does not answer in time .*rediss:\/\/ is for one that listens for TLS/,
    postgres: /DATABASE_URL asks for TLS, and PostgreSQL has none .*: take sslmode out of DATABASE_URL/,
  },
  {
    name: 'servers that speak nothing else',
    make: async ({ redis, postgres: { url, admin } }) => {
      const file = join(await folderOf(admin), 'pg_hba.conf')
      await writeFile(file, (await readFile(file, 'utf8')).replace(/^host\b/gm, 'hostssl'))
      await reload(admin)
      return { REDIS_URL: withUrl(redis.secure, { protocol: 'redis:' }), DATABASE_URL: url }
    },
    redis: /Redis closes the connection .*if it listens for TLS, use rediss:\/\/ in REDIS_URL/,
    postgres: /PostgreSQL does not let this user in \(28000\): .*add \?sslmode=verify-full to DATABASE_URL/,
  },
  {
    name: 'a Redis that wants a certificate, and an authority that cannot be read',
    make: async ({ redis, postgres, authority }) => {
      await configure(redis, 'tls-auth-clients', 'yes')
      return {
        REDIS_URL: redis.secure,
        DATABASE_URL: `${full(postgres.url)}&sslrootcert=/nowhere/ca.crt`,
        NODE_EXTRA_CA_CERTS: authority.ca,
      }
    },
    redis:
      /Redis (wants a certificate of its clients|closes the connection) \(\w+\): .*set its tls-auth-clients to no/,
    postgres: /a file that DATABASE_URL names cannot be read \(ENOENT\): .*sslrootcert/,
  },
  {
    name: 'certificates that have expired',
    make: async ({ redis, postgres, authority }) => {
      const late = authority.sign('late', 'DNS:localhost', -1)
      await configure(redis, 'tls-auth-clients', 'no')
      await configure(redis, 'tls-cert-file', late.cert, 'tls-key-file', late.key)
      await serveWith(postgres.admin, late)
      await reload(postgres.admin)
      return {
        REDIS_URL: redis.secure,
        DATABASE_URL: full(postgres.url),
        NODE_EXTRA_CA_CERTS: authority.ca,
      }
    },
    redis: /the certificate of Redis has expired, or is not valid yet \(CERT_HAS_EXPIRED\): renew it/,
    postgres: /the certificate of PostgreSQL has expired, or is not valid yet \(CERT_HAS_EXPIRED\): renew it/,
  },
]

async function configure({ url }: BreakableRedis, ...settings: string[]): Promise<void> {
  await using operator = await ownBroker(url)
  await operator.redis.call('CONFIG', 'SET', ...settings)
}

test('what is wrong with TLS is said in words, at the start and in /readyz, with what to do', async () => {
  await using folder = await ownFolder()
  const authority = createAuthority(folder.path)
  const certificate = authority.sign('server', 'DNS:localhost')
  await using redis = await ownTlsRedis(certificate, authority.ca)
  await using postgres = await ownTlsPostgres(certificate)
  for (const { name, make, ...words } of faults) {
    const env = await make({ redis, postgres, authority })
    const heard = await said(env, words)
    expect.soft(heard.redis, name).toMatch(words.redis)
    expect.soft(heard.postgres, name).toMatch(words.postgres)
    expect.soft(heard.migration, name).toMatch(words.postgres)
    for (const url of [env.REDIS_URL, env.DATABASE_URL]) {
      expect.soft(heard.all, name).not.toContain(new URL(url ?? '').password)
    }
  }
})
