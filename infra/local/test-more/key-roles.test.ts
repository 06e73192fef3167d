/** Who may do what with keys and the audit log, in a new database and in one that had no such roles. */
import { join } from 'node:path'
import { parsePattern } from '@sekali/core/pattern'
import { startPostgres } from '@sekali/servers/postgres-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { appendAudit } from '@sekali/store/audit'
import { createKey, noteUses, revokeKey, rotateKey } from '@sekali/store/change-keys'
import { connectStore, type Store } from '@sekali/store/connect'
import { pauseSubscription, removeSubscription, seekSubscription } from '@sekali/store/control-subscription'
import { listDead, redriveDead } from '@sekali/store/dead-deliveries'
import { createFirstKey } from '@sekali/store/first-key'
import { findKeys } from '@sekali/store/keys'
import { claimOperation, redriveStep } from '@sekali/store/lease'
import { lookAtSubscriptions } from '@sekali/store/look-at-subscriptions'
import { migrate } from '@sekali/store/migrate'
import { pull, pullJson } from '@sekali/store/pull'
import { putSubscription } from '@sekali/store/put-subscription'
import { readAudit } from '@sekali/store/read-audit'
import { readSubscription } from '@sekali/store/read-subscriptions'
import { startRedrive } from '@sekali/store/redrive'
import { makeRoles } from '@sekali/store/roles'
import { discardLetter } from '@sekali/store/settle'
import { settle } from '@sekali/store/settle-deliveries'
import { quiet } from '@sekali/testkit/quiet'
import { expect, test } from 'vitest'

const refused = { code: '42501' }

const passwords = { owner: 'o', consumer: 'c', gateway: 'g', projector: 'p', dispatcher: 'd' } as const

/** A database in which `npm start`, or docker compose, has its roles. Each connection is one role's. */
async function ownCluster() {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('sekali-test-'))
  const { url } = stack.use(await startPostgres({ dir: join(folder.path, 'postgres') }))
  const urlAs = (role: keyof typeof passwords) => {
    const own = new URL(url)
    own.username = `sekali_${role}`
    own.password = passwords[role]
    return own.href
  }
  const as = (role: keyof typeof passwords | 'superuser') =>
    stack.use(
      connectStore({ url: role === 'superuser' ? url : urlAs(role), poolMax: 1, name: 'test' }, quiet),
    )
  return { url, urlAs, as, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

type Cluster = Awaited<ReturnType<typeof ownCluster>>

/** The gateway's role can do with subscriptions what it has to. */
async function subscribe(gateway: Store): Promise<void> {
  const by = { actor: 'test' }
  const name = 'mailer'
  const topics = parsePattern('>')
  const settings = {
    leaseSeconds: 30,
    outstandingMax: 10,
    deliveriesMax: 5,
    backoffSeconds: [],
    sourceBatch: 1,
  }
  const config = {
    name,
    kind: 'pull',
    topics,
    order: 'none',
    filter: {},
    from: 'start',
    onExhausted: 'skip',
  } as const
  expect(await putSubscription(gateway, { ...config, ...settings }, by)).toMatchObject({ outcome: 'created' })
  const request = { name, max: 1, bytesMax: 1_000 }
  for (const call of [pull, pullJson]) expect(await call(gateway, request)).toMatchObject({ items: [] })
  expect(await settle(gateway, { name, items: [{ token: 'x', do: 'ack' }] })).toMatchObject([
    { result: 'unknown' },
  ])
  await lookAtSubscriptions(gateway)
  expect(
    await seekSubscription(gateway, { name, topics: '>', from: 'now', dryRun: false }, by),
  ).toMatchObject({
    outcome: 'moved',
  })
  expect(await pauseSubscription(gateway, name, by)).toMatchObject({ state: 'paused' })
  expect(await redriveDead(gateway, 1, by)).toBe('unknown')
  expect(await readSubscription(gateway, name)).toMatchObject({ lag: 0, dead: 0 })
  expect(await listDead(gateway, { within: [topics], limit: 1 })).toEqual([])
  expect(await removeSubscription(gateway, name, by)).toBe('removed')
}

/** What is true of keys and the audit log wherever there are roles. */
async function expectApart({ as }: Cluster): Promise<void> {
  const root = as('superuser').pool
  const owners = await root.query(`
    SELECT DISTINCT n.nspname AS schema, pg_get_userbyid(owner) AS owner
    FROM pg_namespace n CROSS JOIN LATERAL (
      SELECT n.nspowner UNION SELECT relowner FROM pg_class WHERE relnamespace = n.oid
      UNION SELECT proowner FROM pg_proc WHERE pronamespace = n.oid) o (owner)
    WHERE n.nspname IN ('access', 'audit', 'operations', 'subscriptions', 'sekali') ORDER BY 1`)
  expect(owners.rows).toEqual([
    { schema: 'access', owner: 'sekali_access' },
    { schema: 'audit', owner: 'sekali_audit' },
    { schema: 'operations', owner: 'sekali_operations' },
    { schema: 'sekali', owner: 'sekali_subscriptions' },
    { schema: 'subscriptions', owner: 'sekali_subscriptions' },
  ])
  const roles = await root.query(
    `SELECT rolname FROM pg_roles WHERE rolname IN ('sekali_access', 'sekali_audit', 'sekali_subscriptions')
     AND NOT rolcanlogin AND NOT rolsuper AND NOT rolbypassrls`,
  )
  expect(roles.rows).toHaveLength(3)

  const gateway = as('gateway')
  const by = { actor: 'test' }
  const wanted = { name: 'k', scopes: ['read'], topics: [parsePattern('>')] } as const
  const made = await createKey(gateway, wanted, by)
  if (typeof made === 'string') throw new Error(made)
  const { id } = made.key
  await noteUses(gateway, new Map([[id, new Date()]]))
  expect(await rotateKey(gateway, id, 0, by)).toMatchObject({ key: { name: 'k' } })
  expect(await revokeKey(gateway, id, by)).toMatchObject({ id })
  await appendAudit(gateway, { ...by, action: 'denied', target: 't' })
  const entries = await readAudit(gateway, { limit: 4 })
  expect(entries.map(({ action }) => action)).toEqual(['denied', 'key_revoked', 'key_rotated', 'key_created'])

  const nothing = { filter: {}, asOf: 0, expect: 0, rate: 1 }
  expect(await startRedrive(gateway, nothing, { actor: id })).toEqual({ outcome: 'actor_ended' })
  expect(await startRedrive(gateway, nothing, by)).toMatchObject({ outcome: 'started' })
  const lease = { operation: (await claimOperation(gateway, 'test'))?.id ?? 0, holder: 'test' }
  const step = { checkpoint: 0, letters: [], skipped: {} }
  expect(await redriveStep(gateway, lease, step, async () => undefined)).toBe('ours')
  expect(await discardLetter(gateway, { kind: 'entry', number: 1 }, 'a test', by)).toBe('unknown')

  await subscribe(gateway)

  const change = [
    `UPDATE subscriptions.subscriptions SET generation = 9`,
    'DELETE FROM subscriptions.exceptions',
    'SELECT FROM subscriptions.subscriptions FOR UPDATE',
    `INSERT INTO operations.settled (kind, letter, became, by) VALUES ('entry', 1, 'discarded', '')`,
    `UPDATE operations.operations SET state = 'done'`,
    `INSERT INTO access.keys (id, name, hash, scopes, topics, created_by) VALUES ('x', '', '', '{}', '{}', '')`,
    `UPDATE access.keys SET revoked_at = NULL`,
    'DELETE FROM access.keys',
    `INSERT INTO audit.entries VALUES (0, now(), '', '', '', '', '{}')`,
    'UPDATE audit.entries SET actor = $$$$',
    'DELETE FROM audit.entries',
    'TRUNCATE audit.entries',
    'SELECT 1; LOCK TABLE audit.entries IN SHARE MODE',
    'SELECT FROM access.keys FOR SHARE',
  ]
  const read = [
    'SELECT FROM subscriptions.dead',
    'SELECT FROM access.keys',
    'SELECT FROM operations.settled',
    'SELECT FROM audit.entries',
  ]
  const call = [
    `SELECT subscriptions.pull('x', 1, 1, NULL, 'x'), subscriptions.pull_grant('x', 1, 1, NULL, 'x')`,
    `SELECT subscriptions.granted_json('x', 'x')`,
    `SELECT subscriptions.settle('x', '{}', '{}', '{}', '{}')`,
    'SELECT subscriptions.look()',
    `SELECT access.revoke_key('x', '', '', NULL)`,
    `SELECT access.note_uses('{}', '{}')`,
    `SELECT audit.report('', '', 'denied', '', '{}')`,
  ]
  // These are for functions: a key that was not made has no entry, and a denial is no revocation.
  const inner = [
    `SELECT audit.append('', '', 'key_created', '', '{}')`,
    `SELECT audit.report('', '', 'key_created', '', '{}')`,
    `SELECT access.hold('x', NULL, NULL)`,
    `SELECT access.has_ended('x', NULL)`,
    `SELECT subscriptions.settle_in(s, '{}', '{}', '{}', '{}') FROM subscriptions.subscriptions s`,
    `SELECT subscriptions.hand_out('x', 1, 1, NULL, repeat('0', 32), true)`,
    `SELECT sekali.settle('x')`,
  ]
  for (const statement of [...change, ...inner]) {
    const written = `SET TRANSACTION READ WRITE; ${statement}`
    await expect(gateway.pool.query(written), statement).rejects.toMatchObject(refused)
  }
  for (const role of ['consumer', 'projector'] as const) {
    const { pool } = as(role)
    for (const statement of [...change, ...read, ...call, ...inner]) {
      await expect(pool.query(statement), `${role}: ${statement}`).rejects.toMatchObject(refused)
    }
  }
  // What the functions may do: each writes its own, keys add to the audit log, and neither gets to the log of events.
  for (const [role, statements] of [
    [
      'sekali_access',
      [...change.filter((one) => one.includes('audit.')), 'SELECT FROM events', 'DELETE FROM topics'],
    ],
    [
      'sekali_audit',
      [
        ...change.filter((one) => one.includes('access.')),
        ...read.slice(0, 1),
        call[0],
        'SELECT FROM events',
      ],
    ],
  ] as const) {
    for (const statement of statements) {
      const acting = root.query(`BEGIN; SET LOCAL ROLE ${role}; ${statement}; COMMIT`)
      await expect(acting, `${role}: ${statement}`).rejects.toMatchObject(refused)
      await root.query('ROLLBACK')
    }
  }
  // The first key is made with the owner's role; afterwards it can still migrate what it has handed over.
  const first = await createFirstKey(as('owner'), { replace: true, actor: 'first-key' })
  expect(first).toMatchObject({ key: { name: 'first' } })
  await as('owner').pool.query(
    'ALTER TABLE access.keys ADD COLUMN later text; ALTER TABLE audit.entries ADD COLUMN later text',
  )
}

test('keys and the audit log are each a role of its own, which nobody logs in as', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url, passwords)
  await migrate(cluster.urlAs('owner'))
  await expectApart(cluster)
  await makeRoles(cluster.url, passwords)
  const { pool } = cluster.as('superuser')
  expect((await pool.query('SELECT FROM access.keys')).rowCount).toBeGreaterThan(0)
})

test('a volume that is migrated before it has the new roles works, and gets them by the documented command', async () => {
  await using cluster = await ownCluster()
  await makeRoles(cluster.url, passwords)
  const root = cluster.as('superuser').pool
  // As roles.sql of an earlier version left it.
  await root.query('DROP SCHEMA access; DROP SCHEMA audit; DROP ROLE sekali_access; DROP ROLE sekali_audit')
  await migrate(cluster.urlAs('owner'))
  const made = await createFirstKey(cluster.as('owner'), { replace: false, actor: 'first-key' })
  expect(await findKeys(cluster.as('gateway'), [typeof made === 'string' ? made : made.key.id])).toHaveLength(
    1,
  )
  await expect(cluster.as('projector').pool.query('SELECT FROM access.keys')).rejects.toMatchObject(refused)
  await makeRoles(cluster.url, passwords)
  await expectApart(cluster)
})

test('what a superuser has migrated before there were any roles is handed over as well', async () => {
  await using cluster = await ownCluster()
  await migrate(cluster.url)
  await createFirstKey(cluster.as('superuser'), { replace: false, actor: 'first-key' })
  await makeRoles(cluster.url, passwords)
  await migrate(cluster.urlAs('owner'))
  await expectApart(cluster)
})
