/** Logs as versions before keys have left them. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { ownEmptyDatabase, ownStore } from '@sekali/testkit/own'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/node-postgres/migrator'
import { inject } from 'vitest'
import { migrate } from '../src/postgres/migrate.ts'

const migrations = fileURLToPath(new URL('../migrations', import.meta.url))
const lastOfBefore = 16

/** Topics and how many events each has. */
const usual = { orders: 2_500, 'users.login': 1_500, few: 3 }

/** What a consumer of a version before sends, as SQL. */
export const olderInsert = (rows: string): string => `
  INSERT INTO events (topic_id, seq, event_id, "timestamp", source, payload, received_at)
  SELECT t.id, n, 'e' || n, '2025-12-08T10:00:00.123456Z', 'shop', '{"amount":1}', '2025-12-08T10:00:01Z' ${rows}`

/** A store on a database with the schema of before, and events of the topics with these heads. */
export async function ownOlderStore(heads: Readonly<Record<string, number>> = usual) {
  const store = await ownStore(inject('postgresUrl'), ownEmptyDatabase())
  await using folder = await temporaryFolder('sekali-test-')
  await cp(migrations, folder.path, { recursive: true })
  const journalFile = join(folder.path, 'meta/_journal.json')
  const journal = JSON.parse(await readFile(journalFile, 'utf8'))
  const entries = journal.entries.slice(0, lastOfBefore + 1)
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
