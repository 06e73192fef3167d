/** Logs as versions before keys have left them. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { ownEmptyDatabase, ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import { inject } from 'vitest'
import { examineStore } from '../src/operate/doctor.ts'
import type { Store } from '../src/postgres/connect.ts'
import { migrate } from '../src/postgres/migrate.ts'
import { received } from './commit.ts'

const migrations = fileURLToPath(new URL('../migrations', import.meta.url))
const lastOfBefore = 16

/** Events of the usual topics. */
export const all = 4_003
/** Topics and how many events each has. */
const usual = { orders: 2_500, 'users.login': 1_500, few: 3 }

/** What a consumer of a version before sends, as SQL. */
export const olderInsert = (rows: string): string => `
  INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
  SELECT t.id, n, 'e' || n, '2025-12-08T10:00:00.123456Z', 'shop', '{"amount":1}', '2025-12-08T10:00:01Z' ${rows}`

/** A store on a database with the schema up to migration `last`, and events of the topics with these heads. */
export async function ownOlderStore(heads: Readonly<Record<string, number>> = usual, last = lastOfBefore) {
  const store = await ownStore(inject('postgresUrl'), ownEmptyDatabase())
  await using folder = await temporaryFolder('sekali-test-')
  await cp(migrations, folder.path, { recursive: true })
  const journalFile = join(folder.path, 'meta/_journal.json')
  const journal = JSON.parse(await readFile(journalFile, 'utf8'))
  const entries = journal.entries.slice(0, last + 1)
  await writeFile(journalFile, JSON.stringify({ ...journal, entries }))
  await migrateWithDrizzle(drizzle(store.pool), { migrationsFolder: folder.path })
  await store.pool.query('INSERT INTO topics (name, head) SELECT * FROM unnest($1::text[], $2::bigint[])', [
    Object.keys(heads),
    Object.values(heads),
  ])
  await store.pool.query(olderInsert('FROM topics t, generate_series(1, t.head) n'))
  return store
}

/** The same after the migrations: its events have no keys yet. */
export async function ownKeylessStore() {
  const store = await ownOlderStore()
  await migrate(store.url)
  return store
}

/** How many events are without their key or tag, or have a wrong one. */
export async function wrongKeys({ pool }: Store): Promise<number> {
  const { rows } = await pool.query<{ wrong: number }>(`
    SELECT count(*)::int AS wrong FROM events WHERE event_key IS DISTINCT FROM event_key(topic_id, event_id)
      OR content_tag IS DISTINCT FROM content_tag(source, payload::text)`)
  return rows[0]?.wrong ?? Number.NaN
}

/** A repeat of an event, an event with another content under a known id, and a new one. */
export const mixed = (id: string) => [
  ...received('e7', id, id),
  { event: event({ eventId: 'e8', payload: '{"amount":2}' }), receivedAt: '2025-12-08T10:00:02.000000Z' },
]

/** What the doctor finds of the keys. */
export const finding = async (store: Store) =>
  (await examineStore(store)).find(({ check }) => check === 'store.keys')
