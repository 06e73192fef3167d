/** Keys, as whoever owns their schema: key-roles.test.ts of infra/local has what each role may do. */
import { createHash } from 'node:crypto'
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
import { keyIdIn } from '../src/access/key-text.ts'
import { findKeys, isLiveAt, listKeys } from '../src/access/keys.ts'
import { appendAudit } from '../src/audit/append.ts'
import { readAudit } from '../src/audit/read.ts'
import type { Store } from '../src/postgres/connect.ts'

const by = { actor: 'tester', client: '192.0.2.1' }
const publisher: NewKey = {
  name: 'shop',
  scopes: ['publish'],
  topics: [parsePattern('orders.>')],
  source: 'shop',
}

async function make(store: Store, wanted: NewKey = publisher): Promise<MadeKey> {
  const made = await createKey(store, wanted, by)
  if (typeof made === 'string') throw new Error(made)
  return made
}

async function rotated(store: Store, id: string, seconds: number): Promise<MadeKey> {
  const made = await rotateKey(store, id, seconds, by)
  if (typeof made === 'string') throw new Error(made)
  return made
}

const one = async (store: Store, id: string) => (await findKeys(store, [id])).get(id)
const audited = (store: Store) => readAudit(store, { after: 0, limit: 100 })
const inHours = (hours: number, from = Date.now()) => new Date(from + hours * 3_600_000).toISOString()

test('a key is found by the id in its text, and of the text only SHA-256 is kept', async () => {
  await using store = await ownStore()
  const { key, text } = await make(store, { ...publisher, eventsPerSecond: 10, bytesPerSecond: 1e12 })
  expect(keyIdIn(text)).toBe(key.id)
  expect(await one(store, key.id)).toEqual(key)
  expect(key).toMatchObject({
    name: 'shop',
    createdBy: 'tester',
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  })
  expect(key.grant).toEqual({
    holder: key.id,
    scopes: ['publish'],
    topics: [parsePattern('orders.>')],
    source: 'shop',
    eventsPerSecond: 10,
    bytesPerSecond: 1e12,
  })
  expect(key.hash).toEqual(createHash('sha256').update(text).digest())
  expect(isLiveAt(key, Date.now())).toBe(true)
  const { rows } = await store.pool.query('SELECT k::text, e::text FROM access.keys k, audit.entries e')
  expect(JSON.stringify(rows)).toContain(key.id)
  expect(JSON.stringify(rows)).not.toContain(text.split('_')[2])
  expect(await findKeys(store, ['nobody', key.id])).toHaveLength(1)
})

test('a rotated key goes on for as long as it was given, and its successor may do the same', async () => {
  await using store = await ownStore()
  const { key: old } = await make(store)
  const { key, text } = await rotated(store, old.id, 3_600)
  expect(key.grant).toEqual({ ...old.grant, holder: key.id })
  expect(keyIdIn(text)).toBe(key.id)
  const after = await one(store, old.id)
  expect(after).toMatchObject({ successor: key.id, revokedAt: null })
  if (after === undefined) throw new Error('gone')
  expect(isLiveAt(after, Date.now())).toBe(true)
  expect(isLiveAt(after, Date.now() + 3_601_000)).toBe(false)
  // Whoever has found the old one must not make another from it.
  expect(await rotateKey(store, old.id, 0, by)).toBe('succeeded')
})

test('a key that is rotated at once opens nothing any more, and one that has ended is not rotated', async () => {
  await using store = await ownStore()
  const { key } = await make(store)
  const { key: next } = await rotated(store, key.id, 0)
  const old = await one(store, key.id)
  expect(old && isLiveAt(old, Date.now() + 1)).toBe(false)
  await revokeKey(store, next.id, by)
  expect(await rotateKey(store, next.id, 0, by)).toBe('ended')
  expect(await rotateKey(store, 'nobody', 0, by)).toBe('unknown')
})

test('rotation never gives a key more time, and its successor as much as it was made for', async () => {
  await using store = await ownStore()
  const { key: old } = await make(store, { ...publisher, expiresAt: inHours(1) })
  const { key } = await rotated(store, old.id, 7 * 86_400)
  expect((await one(store, old.id))?.expiresAt).toBe(old.expiresAt)
  const life = (one: typeof key) => Date.parse(one.expiresAt ?? '') - Date.parse(one.createdAt)
  expect(Math.abs(life(key) - life(old))).toBeLessThanOrEqual(1)
})

test('a key that was to live to the end of all times has a successor that does', async () => {
  await using store = await ownStore()
  const expiresAt = '9999-12-31T23:59:59.999999Z'
  const { key: old } = await make(store, { ...publisher, expiresAt })
  await store.pool.query(`UPDATE access.keys SET created_at = created_at - interval '1 h'`)
  const { key } = await rotated(store, old.id, 0)
  expect(key.expiresAt).toBe(expiresAt)
})

test('a key is revoked once, and to revoke it again says the same', async () => {
  await using store = await ownStore()
  const { key } = await make(store)
  const first = await revokeKey(store, key.id, by)
  if (typeof first === 'string') throw new Error(first)
  expect(first.revokedAt).not.toBeNull()
  expect(isLiveAt(first, Date.now())).toBe(false)
  expect(await revokeKey(store, key.id, by)).toEqual(first)
  expect(await revokeKey(store, 'nobody', by)).toBe('unknown')
  expect((await audited(store)).map(({ action }) => action)).toEqual(['key_created', 'key_revoked'])
})

test('every change has its entry, numbered without a gap also when many come at once', async () => {
  await using store = await ownStore()
  const made = await Promise.all(Array.from({ length: 8 }, () => make(store)))
  await Promise.all(made.map(({ key }) => rotateKey(store, key.id, 60, by)))
  await Promise.allSettled(made.map(() => createKey(store, { ...publisher, expiresAt: 'no time' }, by)))
  await appendAudit(store, {
    actor: 'x',
    action: 'denied',
    target: 'DELETE /keys',
    details: { scope: 'admin' },
  })
  const entries = await audited(store)
  expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: 17 }, (_, n) => n + 1))
  expect(entries[0]).toMatchObject({
    ...by,
    action: 'key_created',
    details: { name: 'shop', scopes: ['publish'] },
  })
  expect(entries[0]?.at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  expect(entries.at(-1)).toMatchObject({
    actor: 'x',
    client: null,
    action: 'denied',
    details: { scope: 'admin' },
  })
  const shown = JSON.stringify(entries)
  for (const { text } of made) expect(shown).not.toContain(text.split('_')[2])
})

test('keys come in pages, oldest first, revoked ones among them', async () => {
  await using store = await ownStore()
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.push((await make(store)).key.id)
  await revokeKey(store, String(ids[1]), by)
  const first = await listKeys(store, { limit: 3 })
  const rest = await listKeys(store, { after: String(ids[2]), limit: 3 })
  expect([...(first ?? []), ...(rest ?? [])].map(({ id }) => id)).toEqual(ids)
  expect(await listKeys(store, { after: 'nobody', limit: 3 })).toBeUndefined()
})

test('uses are noted, and an older one does not undo a newer one', async () => {
  await using store = await ownStore()
  const [a, b] = [(await make(store)).key.id, (await make(store)).key.id]
  await noteUses(
    store,
    new Map([
      [a, new Date(2_000)],
      [b, new Date(3_000)],
      ['nobody', new Date()],
    ]),
  )
  await noteUses(
    store,
    new Map([
      [a, new Date(1_000)],
      [b, new Date(4_000)],
    ]),
  )
  const keys = await findKeys(store, [a, b])
  expect(keys.get(a)?.lastUsedAt).toBe('1970-01-01T00:00:02.000000Z')
  expect(keys.get(b)?.lastUsedAt).toBe('1970-01-01T00:00:04.000000Z')
  expect(await audited(store)).toHaveLength(2)
})

test('there is one first key, however many ask for it at once, until it is replaced', async () => {
  await using store = await ownStore()
  await make(store, { ...publisher, scopes: ['admin'] }) // may not do everything: it is not the one
  const first = () => createFirstKey(store, { replace: false, actor: 'setup' })
  const asked = await Promise.all([first(), first(), first()])
  const made = asked.filter((one) => typeof one !== 'string')
  expect(asked.filter((one) => one === 'exists')).toHaveLength(2)
  expect(made).toHaveLength(1)
  expect(made[0]?.key.grant).toMatchObject({
    scopes: ['publish', 'read', 'work', 'admin'],
    topics: [{ text: '>' }],
  })

  const replaced = await createFirstKey(store, { replace: true, actor: 'setup' })
  if (typeof replaced === 'string') throw new Error(replaced)
  expect((await one(store, String(made[0]?.key.id)))?.revokedAt).not.toBeNull()
  expect((await audited(store)).slice(-2)).toMatchObject([
    { actor: 'setup', client: null, action: 'key_revoked', target: made[0]?.key.id },
    { actor: 'setup', action: 'key_created', target: replaced.key.id },
  ])
  // A lost key is gone for good: the next first key is made without replacing anything.
  await revokeKey(store, replaced.key.id, by)
  expect(await first()).toMatchObject({ key: { name: 'first' } })
})

test('there is a bound on keys that work', async () => {
  await using store = await ownStore()
  await store.pool.query(
    `INSERT INTO access.keys (id, name, hash, scopes, topics, created_by)
     SELECT 'k' || n, 'k', sha256(''), '{read}', '{a}', 'test' FROM generate_series(1, 9999) n`,
  )
  const { key } = await make(store)
  expect(await createKey(store, publisher, by)).toBe('too_many')
  expect(await rotateKey(store, key.id, 0, by)).toBe('too_many')
  await revokeKey(store, key.id, by)
  await make(store)
})
