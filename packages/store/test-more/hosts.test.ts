/** A primary and its standby behind one URL. These tests break theirs, and so have their own. */
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { ownReplicated, type Replicated } from '@sekali/testkit/replicated'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkStore } from '../src/operate/health.ts'
import { checkBeforeMigration } from '../src/operate/preflight.ts'
import { connectStore } from '../src/postgres/connect.ts'
import { readLineage } from '../src/postgres/lineage.ts'
import { migrate } from '../src/postgres/migrate.ts'

let pair: Replicated
beforeAll(async () => {
  pair = await ownReplicated()
})
afterAll(() => pair[Symbol.asyncDispose]())

const connect = (url: string) => connectStore({ url, poolMax: 3, name: 'test', connectMs: 10_000 }, quiet)

/** The same hosts, the standby first. */
const reversed = () =>
  pair.url.replace(`${pair.primary.host},${pair.standby.host}`, `${pair.standby.host},${pair.primary.host}`)

const write = ({ pool }: ReturnType<typeof connect>, name: string) =>
  pool.query('INSERT INTO topics (name) VALUES ($1)', [name])

test('of several hosts the primary is used, whichever comes first, also by a migration', async () => {
  await using store = connect(reversed())
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => write(store, name)))
  expect(await checkStore(store)).toEqual([])
  expect(store.tried).toBe(
    `Tried user sekali, database sekali, at ${pair.standby.host} (a standby), ${pair.primary.host}`,
  )
  await migrate(reversed())
})

test('one host alone is used as it is, and that it is a standby is said', async () => {
  await using store = connect(pair.standby.url)
  expect(await checkBeforeMigration(store)).toContainEqual(expect.stringMatching(/replica.*primary/))
  expect(await readLineage(store)).toBeUndefined()
})

test('where no host is a primary, each is named with what it did, and it goes on once there is one [P9]', async () => {
  await using store = connect(pair.url)
  await write(store, 'before')
  await pair.caughtUp()
  const before = await readLineage(store)
  await pair.primary.kill()
  await eventually(async () => {
    await expect(checkStore(store)).rejects.toThrow(
      /none of the hosts of PostgreSQL is a primary.*\(NO_PRIMARY\)/,
    )
  })
  expect(store.tried).toBe(
    `Tried user sekali, database sekali, at ${pair.primary.host} (ECONNREFUSED), ${pair.standby.host} (a standby)`,
  )
  await expect(migrate(pair.url)).rejects.toThrow(
    new RegExp(
      `NO_PRIMARY.* at ${pair.primary.host} \\(ECONNREFUSED\\), ${pair.standby.host} \\(a standby\\)$`,
    ),
  )
  await pair.promote()
  await eventually(() => write(store, 'after'))
  const { rows } = await store.pool.query("SELECT name FROM topics WHERE name IN ('before', 'after')")
  expect(rows).toHaveLength(2)
  expect(await readLineage(store)).toEqual({ ...before, timeline: Number(before?.timeline) + 1 })

  // The old one takes writes again, as if nothing had been. Who is connected stays where it is, until it is told to leave.
  await pair.primary.start()
  await write(store, 'later')
  store.leave('an old primary')
  expect((await readLineage(store))?.timeline).toBe(before?.timeline)
  await using another = connect(pair.url)
  expect((await readLineage(another))?.timeline).toBe(before?.timeline)
})
