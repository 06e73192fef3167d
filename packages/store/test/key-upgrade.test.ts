/** A log that a version before has filled gets its keys, while processes of that version go on. */
import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { event } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { readKeysState } from '../src/keys/state.ts'
import { upgradeKeys } from '../src/keys/upgrade.ts'
import { connectStore, type Store } from '../src/postgres/connect.ts'
import { readById } from '../src/read/by-id.ts'
import { findEvent } from '../src/read/outcomes.ts'
import { commit, orders, received } from './commit.ts'
import { all, finding, mixed, olderInsert, ownKeylessStore, wrongKeys } from './older.ts'

/** The index that a look-up of ids uses, and whether the log takes events without keys. */
async function readShape({ pool }: Store) {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'events'::regclass AND NOT indisprimary
     ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

test('the migration fills nothing and writes no table anew; ids are looked up as before, and new events have keys [P4]', async () => {
  await using store = await ownKeylessStore()
  expect(await readKeysState(store.pool)).toMatchObject({
    events: all,
    left: all,
    isUsed: false,
    isRequired: false,
  })
  expect(await wrongKeys(store)).toBe(all)
  expect(await finding(store)).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('0 % of 4,003'),
  })
  expect(await commit(store, mixed('new'))).toEqual({ stored: 1, duplicates: 2, conflicts: 1 })
  // A consumer of before leaves the columns out.
  await store.pool.query(olderInsert("FROM topics t, generate_series(4, 5) n WHERE t.name = 'few'"))
  expect(await wrongKeys(store)).toBe(all)
  expect(
    (await readById(store, { eventId: event().eventId, limit: 9 })).map(({ topic }) => topic).sort(),
  ).toEqual(['few', 'orders', 'users.login'])
})

test('the upgrade gives every event its key, then ids are looked up by key and the index of texts goes [P4]', async () => {
  await using store = await ownKeylessStore()
  const steps: string[] = []
  const state = await upgradeKeys(store.url, { onStep: (step) => steps.push(step) })
  expect(steps).toEqual(['fill', 'check', 'index', 'use', 'require'])
  expect(state).toMatchObject({ events: all, left: 0, isUsed: true, isRequired: true, older: [] })
  expect(await wrongKeys(store)).toBe(0)
  expect(await readShape(store)).toEqual(['events_key_unique'])
  expect(await commit(store, mixed('new'))).toEqual({ stored: 1, duplicates: 2, conflicts: 1 })
  expect(await commit(store, received('first'), 'later' as TopicName)).toMatchObject({ stored: 1 })
  expect((await findEvent(store, orders, event({ eventId: 'e7' }).eventId)).event?.seq).toBe(7)
  expect(await finding(store)).toMatchObject({ level: 'ok' })
  steps.length = 0
  await upgradeKeys(store.url, { onStep: (step) => steps.push(step) })
  expect(steps).toEqual([])
})

test('processes of a version before go on until the last step, which waits for their end; then they are refused, and nothing is a dead letter', async () => {
  await using store = await ownKeylessStore()
  const name = 'sekali-old'
  const insert = (n: number) =>
    olderInsert(`FROM topics t, generate_series(${n}, ${n}) n WHERE t.name = 'few'`)
  {
    await using older = connectStore({ url: store.url, poolMax: 1, name }, quiet)
    await older.pool.query('SELECT 1')
    expect(await upgradeKeys(store.url)).toMatchObject({ isUsed: true, isRequired: false, older: [name] })
    await older.pool.query(insert(4))
    // What it has stored is a repeat for those who look by key, and the other way round.
    expect(await commit(store, received('e4'), 'few' as TopicName)).toMatchObject({ duplicates: 1 })
    expect(await finding(store)).toMatchObject({
      level: 'warning',
      message: expect.stringContaining(name),
    })
  }
  await eventually(async () => expect((await readKeysState(store.pool)).older).toEqual([]))
  expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true })
  // 55000 is no class of data errors, of which consumers make dead letters.
  await expect(store.pool.query(insert(5))).rejects.toMatchObject({
    code: '55000',
    message: expect.stringContaining('upgrade it'),
  })
  expect(await wrongKeys(store)).toBe(0)
})

test('the last step is left out on demand; the doctor says how to take it, and names older processes that come after it', async () => {
  await using store = await ownKeylessStore()
  expect(await upgradeKeys(store.url, { exceptLast: true })).toMatchObject({
    isUsed: true,
    isRequired: false,
  })
  // A consumer of before, all of whose sessions were closed meanwhile.
  await store.pool.query(olderInsert("FROM topics t, generate_series(4, 4) n WHERE t.name = 'few'"))
  expect(await finding(store)).toMatchObject({ level: 'warning', remedy: expect.stringContaining('--keys') })
  expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true })
  await using older = connectStore({ url: store.url, poolMax: 1, name: 'sekali-late' }, quiet)
  await older.pool.query('SELECT 1')
  expect(await finding(store)).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('sekali-late'),
  })
})

test('the last step waits for an older process that has come while it waited for its lock', async () => {
  await using store = await ownKeylessStore()
  await upgradeKeys(store.url, { exceptLast: true })
  await using reader = connectStore({ url: store.url, poolMax: 1, name: 'test' }, quiet)
  await reader.pool.query('BEGIN; SELECT FROM events LIMIT 1')
  const upgrading = upgradeKeys(store.url)
  await eventually(async () => {
    const { rows } = await store.pool.query(`SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE '%migrate' AND wait_event_type = 'Lock'`)
    expect(rows).toHaveLength(1)
  })
  await using older = connectStore({ url: store.url, poolMax: 1, name: 'sekali-new' }, quiet)
  await older.pool.query('SELECT 1')
  await reader.pool.query('COMMIT')
  expect(await upgrading).toMatchObject({ isRequired: false, older: ['sekali-new'] })
})

test('a database that is restored to a state before its keys is looked up by text again, by processes that run [P4]', async () => {
  await using store = await ownStore()
  const many = Array.from({ length: 3_000 }, (_, index) => `n${index}`)
  for (let from = 0; from < many.length; from += 500)
    await commit(store, received(...many.slice(from, from + 500)))
  await store.pool.query(`
    ALTER TABLE events ALTER COLUMN event_key DROP DEFAULT, ALTER COLUMN event_key DROP NOT NULL, ALTER COLUMN content_tag DROP NOT NULL;
    DROP INDEX events_key_unique;
    UPDATE events SET event_key = NULL, content_tag = NULL;
    ALTER TABLE events ADD CONSTRAINT events_topic_id_event_id_unique UNIQUE (topic_id, event_id);
    ALTER TABLE topics ALTER COLUMN keyed SET DEFAULT false;
    UPDATE topics SET keyed = false;
    INSERT INTO key_upgrade (topic_id, seq, up_to) SELECT id, 0, head FROM topics`)
  // Taken for new by this process after so many that were: the index of texts refuses.
  expect(await commit(store, received('x', 'n5', 'y'))).toEqual({ stored: 2, duplicates: 1, conflicts: 0 })
  expect(await commit(store, received('z', 'n6'))).toEqual({ stored: 1, duplicates: 1, conflicts: 0 })
  expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true })
  expect(await commit(store, received('n7', 'z', 'new'))).toEqual({ stored: 1, duplicates: 2, conflicts: 0 })
})
