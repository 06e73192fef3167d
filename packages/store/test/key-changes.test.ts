/** Who may change keys, and what of a change may go wrong: as PostgreSQL has it, whatever a gateway believes. */
import { scopes } from '@sekali/core/access'
import { parsePattern } from '@sekali/core/pattern'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'
import {
  createKey,
  type MadeKey,
  type NewKey,
  noteUses,
  revokeKey,
  rotateKey,
} from '../src/access/change-keys.ts'
import { createFirstKey } from '../src/access/first-key.ts'
import { findKeys, listKeys } from '../src/access/keys.ts'
import { appendAudit } from '../src/audit/append.ts'
import { readAudit } from '../src/audit/read.ts'
import type { Store } from '../src/postgres/connect.ts'

const by = { actor: 'tester' }
const admin: NewKey = { name: 'admin', scopes, topics: [parsePattern('>')] }
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()

async function make(store: Store, fields: Partial<NewKey> = {}): Promise<MadeKey['key']> {
  const made = await createKey(store, { ...admin, ...fields }, by)
  if (typeof made === 'string') throw new Error(made)
  return made.key
}

test('a key that is revoked or has expired changes nothing any more', async () => {
  await using store = await ownStore()
  const other = await make(store)
  const revoked = await make(store)
  await revokeKey(store, revoked.id, by)
  const expired = await make(store, { expiresAt: inHours(1) })
  await store.pool.query(`UPDATE access.keys SET expires_at = now() WHERE id = $1`, [expired.id])
  for (const actor of [revoked.id, expired.id, 'nobodysKey12']) {
    expect(await createKey(store, admin, { actor })).toBe('actor_ended')
    expect(await rotateKey(store, other.id, 0, { actor })).toBe('actor_ended')
    expect(await revokeKey(store, other.id, { actor })).toBe('actor_ended')
  }
  expect((await findKeys(store, [other.id])).get(other.id)).toEqual(other)
})

test('a key that is revoked while it makes others has made none after that', async () => {
  await using store = await ownStore()
  const { id } = await make(store)
  const makes = Array.from({ length: 6 }, () => createKey(store, admin, { actor: id }))
  const revoked = await revokeKey(store, id, by)
  const made = (await Promise.all(makes)).filter((one) => typeof one !== 'string')
  expect(revoked).toMatchObject({ id })
  const entries = await readAudit(store, { after: 0, limit: 100 })
  const end = entries.findIndex(({ action }) => action === 'key_revoked')
  expect(entries.slice(end + 1)).toEqual([])
  expect(end).toBe(1 + made.length)
  expect(await createKey(store, admin, { actor: id })).toBe('actor_ended')
})

test('keys that revoke and rotate each other at once do not block each other', async () => {
  await using store = await ownStore()
  const [a, b] = [await make(store), await make(store)]
  const crossed = await Promise.all([
    revokeKey(store, a.id, { actor: b.id }),
    revokeKey(store, b.id, { actor: a.id }),
  ])
  expect(crossed.filter((one) => one === 'actor_ended')).toHaveLength(1)
  const c = await make(store)
  const turns = await Promise.all(
    Array.from({ length: 6 }, () => rotateKey(store, c.id, 60, { actor: c.id })),
  )
  expect(turns.filter((one) => one === 'succeeded')).toHaveLength(5)
  const d = await make(store)
  expect(await revokeKey(store, d.id, { actor: d.id })).toMatchObject({ id: d.id })
})

test('nobody makes a key that outlives their own, nor lives longer by rotation', async () => {
  await using store = await ownStore()
  const mine = await make(store, { expiresAt: inHours(1) })
  const actor = { actor: mine.id }
  expect(await createKey(store, admin, actor)).toBe('beyond_actor')
  expect(await createKey(store, { ...admin, expiresAt: inHours(2) }, actor)).toBe('beyond_actor')
  const expiresAt = mine.expiresAt ?? ''
  expect(await createKey(store, { ...admin, expiresAt }, actor)).toMatchObject({ key: { expiresAt } })
  const forever = await make(store)
  expect(await rotateKey(store, forever.id, 0, actor)).toBe('beyond_actor')
  expect(await rotateKey(store, mine.id, 60, actor)).toMatchObject({ key: { expiresAt } })
  // Rotated, it has a minute left, and gives no more than that.
  expect(await createKey(store, { ...admin, expiresAt }, actor)).toBe('beyond_actor')
})

test('a token bounds what it makes by its own end', async () => {
  await using store = await ownStore()
  const until = new Date(Date.now() + 60_000)
  const ada = { actor: 'jwt:ada', until }
  expect(await createKey(store, admin, ada)).toBe('beyond_actor')
  const expiresAt = until.toISOString()
  expect(await createKey(store, { ...admin, expiresAt }, ada)).toMatchObject({
    key: { createdBy: 'jwt:ada' },
  })
  const short = await make(store, { expiresAt: new Date(Date.now() + 50_000).toISOString() })
  await store.pool.query(`UPDATE access.keys SET created_at = created_at - interval '1 h'`)
  const next = await rotateKey(store, short.id, 0, ada)
  expect(typeof next === 'string' ? next : Date.parse(next.key.expiresAt ?? '')).toBe(until.valueOf())
  expect(await revokeKey(store, (await make(store)).id, ada)).toMatchObject({ name: 'admin' })
  const past = { actor: 'jwt:ada', until: new Date(Date.now() - 1_000) }
  expect(await createKey(store, { ...admin, expiresAt }, past)).toBe('actor_ended')
})

test('a key that never ends has a successor that never does', async () => {
  await using store = await ownStore()
  const next = await rotateKey(store, (await make(store)).id, 0, by)
  expect(next).toMatchObject({ key: { expiresAt: null } })
})

test('a key that somebody else is changing is not waited for long', async () => {
  await using store = await ownStore()
  const { id } = await make(store)
  const other = await store.pool.connect()
  try {
    await other.query('BEGIN')
    await other.query('SELECT FROM access.keys WHERE id = $1 FOR UPDATE', [id])
    expect(await rotateKey(store, id, 0, by)).toBe('busy')
  } finally {
    await other.query('ROLLBACK')
    other.release()
  }
})

test('a key that may not do everything is no first key', async () => {
  await using store = await ownStore()
  const topics = [parsePattern('>')]
  await make(store, { scopes: ['admin'] })
  await make(store, { scopes: ['admin', 'read'] })
  await make(store, { source: 'shop' })
  await make(store, { eventsPerSecond: 1 })
  await make(store, { bytesPerSecond: 1 })
  const first = await createFirstKey(store, { replace: false, actor: 'setup' })
  expect(first).toMatchObject({ key: { name: 'first', grant: { topics } } })
  expect(await createFirstKey(store, { replace: false, actor: 'setup' })).toBe('exists')
})

test('a row that is no key is refused, and one that got in hides no other', async () => {
  await using store = await ownStore()
  const { id } = await make(store)
  const set = (change: string) => store.pool.query(`UPDATE access.keys SET ${change}`)
  for (const change of [
    `topics = '{a..b}'`,
    `topics = '{a,NULL}'`,
    `topics = '{">.a"}'`,
    `scopes = '{all}'`,
    `scopes = '{NULL}'`,
    `hash = ''`,
    `events_per_second = 0`,
  ]) {
    await expect(set(change), change).rejects.toMatchObject({ code: '23514' })
  }
  await set(`topics = '{a-b.*.c_1.>,>,*,x}'`)
  await store.pool.query('ALTER TABLE access.keys DROP CONSTRAINT keys_topics')
  await set(`topics = '{a..b}'`)
  const good = await make(store)
  const told: object[] = []
  const found = await findKeys(store, [id, good.id], { warn: (fields) => void told.push(fields) })
  expect([...found.keys()]).toEqual([good.id])
  expect(told).toMatchObject([{ id }])
  expect((await listKeys(store, { limit: 9 }))?.map((key) => key.id)).toEqual([good.id])
})

test('uses are noted no later than now', async () => {
  await using store = await ownStore()
  const { id } = await make(store)
  await noteUses(store, new Map([[id, new Date(Date.now() + 3_600_000)]]))
  const { lastUsedAt } = (await findKeys(store, [id])).get(id) ?? {}
  expect(Date.parse(lastUsedAt ?? '')).toBeLessThan(Date.now() + 60_000)
})

test('no lock that any role can take stops the audit log', async () => {
  await using store = await ownStore()
  const other = await store.pool.connect()
  try {
    await other.query('SELECT pg_advisory_lock(7355254193)')
    await appendAudit(store, { ...by, action: 'denied', target: 't' })
  } finally {
    other.release(true)
  }
})

test('the audit log has no text of a key, whatever is called by one', async () => {
  await using store = await ownStore()
  const text = `sekali_${'a'.repeat(12)}_${'b'.repeat(32)}_cccccc`
  await appendAudit(store, { actor: text, action: 'denied', target: `DELETE /x/${text}`, details: { text } })
  const [entry] = await readAudit(store, { limit: 1 })
  expect(JSON.stringify(entry)).not.toContain('bbb')
  expect(entry?.target).toBe('DELETE /x/sekali_aaaaaaaaaaaa_…')
})

test('what is reported from without is one of a few actions', async () => {
  await using store = await ownStore()
  const report = (action: string) =>
    store.pool.query(`SELECT audit.report('a', NULL, $1, 't', '{}')`, [action])
  await report('denied')
  for (const action of ['key_created', 'key_revoked', 'anything', '']) {
    await expect(report(action), action).rejects.toMatchObject({ code: '42501' })
  }
})

test('no function with its owner’s rights finds what is temporary first', async () => {
  await using store = await ownStore()
  const { rows } = await store.pool.query(
    `SELECT oid::regprocedure::text AS name, proconfig::text AS settings FROM pg_proc
     WHERE prosecdef AND pronamespace::regnamespace::text IN ('public', 'projections', 'access', 'audit')`,
  )
  expect(rows.length).toBeGreaterThan(8)
  for (const { name, settings } of rows) {
    expect(settings, name).toContain('search_path=pg_catalog, pg_temp')
  }
})
