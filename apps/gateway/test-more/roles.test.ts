/** What each role of packages/store/roles.sql may do, and that it is enough. */
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import type { Store } from '@sekali/store/connect'
import { migrate } from '@sekali/store/migrate'
import { makeRoles } from '@sekali/store/roles'
import { startApp, startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'
import { ownCluster, passwords } from './cluster.ts'

const files = ['infra/docker/roles.sql', 'packages/store/roles.sql'].flatMap((file) => ['--file', file])

const psql = (url: string, env: Record<string, string>) =>
  spawnSync('psql', ['--quiet', '--dbname', url, ...files], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: { PATH: process.env.PATH ?? '', ...env },
    encoding: 'utf8',
  })

/** Table or function, and what a role may do with it, by role. */
async function rightsIn({ pool }: Store): Promise<Record<string, Record<string, string>>> {
  const { rows } = await pool.query<{ role: string; name: string; rights: string }>(`
    SELECT coalesce(rolname, 'public') AS role, name, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS rights
    FROM (
      SELECT relname AS name, relowner AS owner, relacl AS acl FROM pg_class
      WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'projections'::regnamespace)
      UNION ALL SELECT proname, proowner, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc
      WHERE pronamespace IN ('public'::regnamespace, 'projections'::regnamespace)
    ) t CROSS JOIN LATERAL aclexplode(acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> owner GROUP BY 1, 2 ORDER BY 1, 2`)
  const rights: Record<string, Record<string, string>> = {}
  for (const { role, name, rights: all } of rows) rights[role] = { ...rights[role], [name]: all }
  return rights
}

const log = ['conflicts', 'dead_letters', 'entry_ids', 'events', 'forks', 'spans', 'topics']
const folded = ['announcements', 'checkpoints', 'generations', 'not_loaded', 'states']
/** Those that roles of one's own could call before there were rights on functions. */
const older = ['drop_projection', 'drop_topic', 'request_rebuild']
const functions = ['begin_epochs', ...older, 'set_topic_settings']
const all = (names: readonly string[], rights: string) =>
  Object.fromEntries(names.map((name) => [name, rights]))
// Of what is hashed there are two functions each: with a pepper, and with that of the database.
const keys = {
  installation: 'SELECT',
  ...all(['content_tag', 'event_key'], 'EXECUTE EXECUTE'),
  refuse_older_consumer: 'EXECUTE',
}
const least = {
  sekali_consumer: { ...all(log, 'INSERT SELECT'), topics: 'INSERT SELECT UPDATE', ...keys },
  sekali_gateway: {
    ...all([...log, ...folded, 'key_upgrade'], 'SELECT'),
    ...all(functions, 'EXECUTE'),
    ...keys,
  },
  // It is handed what it sends by a function, and reads no event itself.
  sekali_dispatcher: { topics: 'SELECT' },
  // Nobody logs in as it: the functions of operations have its rights, and read what they redrive.
  sekali_operations: all(['conflicts', 'dead_letters', 'topics'], 'SELECT'),
  // Likewise: the functions of subscriptions read what they hand out, and which sources a span has.
  // With the installation's pepper it seals the grants that it makes.
  sekali_subscriptions: all(['events', 'forks', 'installation', 'spans', 'topics'], 'SELECT'),
  sekali_projector: { ...all(log, 'SELECT'), ...all(folded, 'DELETE INSERT SELECT UPDATE') },
}

test('each role may do what it needs and no more, also when the script is run again', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url(), passwords)
  await migrate(cluster.url('owner'))
  expect(await rightsIn(cluster.admin)).toEqual(least)
  await makeRoles(cluster.url(), passwords)
  expect(await rightsIn(cluster.admin)).toEqual(least)
  const refused = { code: '42501' }
  const consumer = cluster.as('consumer').pool
  await expect(consumer.query("UPDATE events SET source = 'other'")).rejects.toMatchObject(refused)
  await expect(consumer.query("SELECT drop_topic('orders')")).rejects.toMatchObject(refused)
})

test('psql makes the same roles with the files that docker compose mounts, and shows no password', async () => {
  await requireDebian('postgresql-client')
  await using cluster = await ownCluster()
  await cluster.admin.pool.query('CREATE ROLE postgres')
  const names = [
    'POSTGRES_PASSWORD',
    ...Object.keys(passwords).map((role) => `POSTGRES_${role.toUpperCase()}_PASSWORD`),
  ]
  const env = Object.fromEntries(names.map((name) => [name, `it's "secret" ${name}`]))
  for (const existing of ['none', 'all']) {
    const { status, stdout, stderr } = psql(cluster.url(), env)
    expect([existing, status, stdout]).toEqual([existing, 0, ''])
    expect(stderr).not.toContain('secret')
    const owner = new URL(cluster.url('owner'))
    owner.password = String(env.POSTGRES_OWNER_PASSWORD)
    await migrate(owner.href)
    expect(await rightsIn(cluster.admin)).toEqual(least)
  }
  const { POSTGRES_GATEWAY_PASSWORD: _, ...without } = env
  expect(psql(cluster.url(), without).status).not.toBe(0)
})

test('no password is shown when making the roles fails, neither in the server’s log nor on the terminal', async () => {
  await requireDebian('postgresql-client')
  await using cluster = await ownCluster({ log_statement: 'all', log_min_duration_statement: '0' })
  const env: Record<string, string> = {
    POSTGRES_PASSWORD: 'secret-postgres',
    PGOPTIONS: '-c lock_timeout=100',
  }
  for (const [role, password] of Object.entries(passwords)) {
    env[`POSTGRES_${role.toUpperCase()}_PASSWORD`] = password
  }
  // There is no role postgres.
  expect(psql(cluster.url(), env)).toMatchObject({ status: 3 })
  await makeRoles(cluster.url(), passwords)
  await cluster.admin.pool.query('CREATE ROLE postgres')
  // Somebody else changes a role at the same time.
  await cluster.admin.pool.query('BEGIN; ALTER ROLE sekali_gateway CONNECTION LIMIT 50')
  const { status, stderr } = psql(cluster.url(), env)
  expect([status, stderr]).toEqual([3, expect.stringMatching(/role sekali_gateway: .*lock timeout/)])
  const url = `${cluster.url()}?options=-c%20lock_timeout%3D100`
  const error = await makeRoles(url, passwords).catch((error: Error) => error)
  expect(error).toMatchObject({ code: 'store_unavailable', cause: { code: '55P03' } })
  expect(inspect(error, { depth: null })).not.toContain('secret-')
  await cluster.admin.pool.query('ROLLBACK')
  const log = await cluster.log()
  expect(log).toContain('role sekali_gateway: ')
  for (const shown of [log, stderr]) expect(shown).not.toContain('secret-')
})

test('what a version before granted too much is taken back, and roles of one’s own keep their functions', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url(), passwords)
  await cluster.admin.pool.query(`CREATE ROLE reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT SELECT ON TABLES TO reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT UPDATE ON TABLES TO sekali_consumer;
    ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner REVOKE EXECUTE ON FUNCTIONS FROM sekali_gateway`)
  await migrate(cluster.url('owner'))
  const reader = {
    ...all([...log, ...folded, 'key_upgrade'], 'SELECT'),
    ...all([...older, 'set_topic_settings'], 'EXECUTE'),
    ...keys,
  }
  expect(await rightsIn(cluster.admin)).toEqual({ ...least, reader })
})

test('a projection that is folded cannot be dropped by a caller who says that it is orphaned', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url(), passwords)
  await migrate(cluster.url('owner'))
  await cluster.admin.pool.query(`INSERT INTO projections.announcements VALUES ('folded');
    INSERT INTO projections.generations (name, version, hash, topics, topic_regex, keyed, initial, stage)
    VALUES ('folded', 1, 'h', '{}', '', false, '0', 'live')`)
  const gateway = cluster.as('gateway').pool
  for (const interval of ['0', '-1 hour', '59 s', null]) {
    await gateway.query('BEGIN READ WRITE')
    const { rows } = await gateway.query('SELECT projections.drop_projection($1, $2::interval) AS outcome', [
      'folded',
      interval,
    ])
    await gateway.query('COMMIT')
    expect([interval, rows]).toEqual([interval, [{ outcome: 'folded' }]])
  }
})

test('with these rights events are stored, judged, folded and dropped', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url(), passwords)
  await migrate(cluster.url('owner'))
  await using broker = await ownBroker()
  const env = { REDIS_URL: inject('redisUrl'), REDIS_PREFIX: broker.prefix, LOG_LEVEL: 'warn' }
  const as = (role: string) => ({ ...env, DATABASE_URL: cluster.url(role) })
  await using gateway = await startGateway(as('gateway'))
  await using _consumer = startApp('consumer/src/main.ts', { ...as('consumer'), CONSUMER_NAME: 'c1' })
  await using projector = startApp('projector/src/main.ts', { ...as('projector'), PROJECTOR_NAME: 'p1' })
  const publish = async (body: string) => {
    const response = await fetch(`${gateway.url}/publish`, post(body, { Prefer: 'wait=20' }))
    return ((await response.json()) as { status: unknown }).status
  }
  const events = Array.from({ length: 1_100 }, (_, index) => eventBody({ event_id: `e${index}` }))
  expect(await publish(`[${events.join(',')}]`)).toBe('settled')
  expect(await publish(eventBody({ event_id: 'e1' }))).toBe('duplicate')
  expect(await publish(eventBody({ event_id: 'e1', payload: { n: 2 } }))).toBe(409)
  await eventually(async () => {
    const { rows } = await cluster.admin.pool.query('SELECT FROM spans')
    expect(rows.length).toBeGreaterThan(0)
  }, 30_000)
  const list = await eventually(async () => {
    const response = await fetch(`${gateway.url}/projections`)
    const projections = (await response.json()) as { name: string }[]
    expect(projections.length).toBeGreaterThan(0)
    return projections
  }, 30_000)
  const rebuild = `${gateway.url}/projections/${list[0]?.name}/rebuild`
  expect((await fetch(rebuild, { method: 'POST' })).status).toBe(202)
  expect((await fetch(`${gateway.url}/topics/orders`, { method: 'DELETE' })).status).toBe(409)
  const json = { ...post('{"same_content":"json"}'), method: 'PUT' }
  expect((await fetch(`${gateway.url}/topics/orders/settings`, json)).status).toBe(200)
  expect(await publish(eventBody({ event_id: 'e1' }).replace('"payload":{', '"payload": {'))).toBe(
    'duplicate',
  )
  expect(projector.output()).toBe('')
})
