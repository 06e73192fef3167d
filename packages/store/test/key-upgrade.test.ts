/** A log that a version before has filled gets its keys, while processes of that version go on. */
import type { TopicName } from '@sekali/core/event'
import { eventually } from '@sekali/testkit/eventually'
import { ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { event } from '@sekali/testkit/sample'
import pg from 'pg'
import { expect, test } from 'vitest'
import { readKeysState } from '../src/keys/state.ts'
import { type UpgradeOptions, upgradeKeys } from '../src/keys/upgrade.ts'
import { examineStore } from '../src/operate/doctor.ts'
import { connectStore, type Store } from '../src/postgres/connect.ts'
import { readById } from '../src/read/by-id.ts'
import { findEvent } from '../src/read/outcomes.ts'
import { commit, orders, received } from './commit.ts'
import { olderInsert, ownKeylessStore } from './older.ts'

const all = 4_003

/** How many events are without their key or tag, or have a wrong one. */
async function wrongKeys({ pool }: Store): Promise<number> {
  const { rows } = await pool.query<{ wrong: number }>(`
    SELECT count(*)::int AS wrong FROM events WHERE key IS DISTINCT FROM event_key(topic_id, event_id)
      OR content_tag IS DISTINCT FROM content_tag(source, payload::text)`)
  return rows[0]?.wrong ?? Number.NaN
}

/** The index that a look-up of ids uses, and whether the log takes events without keys. */
async function readShape({ pool }: Store) {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'events'::regclass AND NOT indisprimary
     ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** A repeat of an event, an event with another content under a known id, and a new one. */
const mixed = (id: string) => [
  ...received('e7', id, id),
  { event: event({ eventId: 'e8', payload: '{"amount":2}' }), receivedAt: '2025-12-08T10:00:02.000000Z' },
]

const stopAfter = (events: number): UpgradeOptions => {
  const stop = new AbortController()
  let filled = 0
  return {
    signal: stop.signal,
    onFilled: (more) => {
      filled += more
      if (filled >= events) stop.abort()
    },
  }
}

const finding = async (store: Store) =>
  (await examineStore(store)).find(({ check }) => check === 'store.keys')

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
    severity: 'warning',
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
      severity: 'warning',
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

test('an upgrade that is stopped, or whose session is killed, goes on where it was', async () => {
  await using store = await ownKeylessStore()
  const stopped = await upgradeKeys(store.url, stopAfter(1))
  expect(stopped).toMatchObject({ left: all - 1_024, isUsed: false })
  expect(await finding(store)).toMatchObject({ message: expect.stringContaining('25 % of 4,003') })
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'sekali/2-migrate'`
  let ended: Promise<unknown> | undefined
  const killed = upgradeKeys(store.url, {
    onFilled: () => {
      ended ??= store.pool.query(end)
    },
  })
  await expect(killed).rejects.toMatchObject({ code: 'store_unavailable' })
  await ended
  const filled: number[] = []
  const done = await eventually(async () => {
    const state = await upgradeKeys(store.url, { onFilled: (more) => filled.push(more) })
    expect(state).toMatchObject({ isRequired: true })
    return state
  })
  expect(done).toMatchObject({ left: 0 })
  expect(filled.reduce((sum, more) => sum + more, 0)).toBeLessThan(all - 1_024)
  expect(await wrongKeys(store)).toBe(0)
})

test('an index that a crash has left half made is made again', async () => {
  await using store = await ownKeylessStore()
  const reader = new pg.Client(store.url)
  await reader.connect()
  // Whoever reads in a transaction keeps the index from becoming valid.
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM events LIMIT 1')
  const making = upgradeKeys(store.url).catch((error: unknown) => error)
  const index = `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('events_key_unique')`
  await eventually(async () => expect((await store.pool.query(index)).rows).toEqual([{ valid: false }]))
  await store.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE 'CREATE UNIQUE INDEX%'`)
  expect(await making).toMatchObject({ code: 'store_unavailable' })
  await reader.end()
  expect(await commit(store, mixed('new'))).toEqual({ stored: 1, duplicates: 2, conflicts: 1 })
  await eventually(async () => expect(await upgradeKeys(store.url)).toMatchObject({ isRequired: true }))
  expect((await store.pool.query(index)).rows).toEqual([{ valid: true }])
})

test('a large log is not begun unasked, and two runs do not meet', async () => {
  await using store = await ownKeylessStore()
  expect(await upgradeKeys(store.url, { eventsMax: all - 1 })).toMatchObject({ left: all, isUsed: false })
  let second: ReturnType<typeof upgradeKeys> | undefined
  const first = upgradeKeys(store.url, {
    onFilled: () => {
      second ??= upgradeKeys(store.url)
    },
  })
  expect(await first).toMatchObject({ isRequired: true })
  expect(await second).toBeUndefined()
})

test('a database that is restored to a state before its keys is looked up by text again, by processes that run [P4]', async () => {
  await using store = await ownStore()
  const many = Array.from({ length: 3_000 }, (_, index) => `n${index}`)
  for (let from = 0; from < many.length; from += 500)
    await commit(store, received(...many.slice(from, from + 500)))
  await store.pool.query(`
    ALTER TABLE events ALTER COLUMN key DROP DEFAULT, ALTER COLUMN key DROP NOT NULL, ALTER COLUMN content_tag DROP NOT NULL;
    DROP INDEX events_key_unique;
    UPDATE events SET key = NULL, content_tag = NULL;
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

test('each installation gets a pepper of its own', async () => {
  const peppers = new Set<string>()
  for (let time = 0; time < 2; time++) {
    await using store = await ownKeylessStore()
    const { rows } = await store.pool.query(`SELECT encode(pepper, 'hex') AS pepper FROM installation`)
    expect(rows).toHaveLength(1)
    peppers.add(rows[0].pepper)
  }
  expect(peppers.size).toBe(2)
})
