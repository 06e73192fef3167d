import { eventually } from '@sekali/testkit/eventually'
import { ownStore } from '@sekali/testkit/own'
import { quiet } from '@sekali/testkit/quiet'
import { ownPostgres } from '@sekali/testkit/servers'
import { expect, inject, test } from 'vitest'
import { readBackupFacts, withBaseBackup } from '../src/operate/base-backup.ts'
import { connectStore } from '../src/postgres/connect.ts'
import { newestMigration } from '../src/postgres/migrate.ts'

test('a backup begins with files of the data folder, and knows about how many bytes they have', async () => {
  const url = inject('postgresUrl')
  const { bytes, first } = await withBaseBackup(url, async ({ bytes, tar }) => {
    for await (const chunk of tar) return { bytes, first: chunk as Buffer }
    throw new Error('nothing came')
  })
  expect(bytes).toBeGreaterThan(10_000_000)
  expect(first.toString('latin1', 257, 262)).toBe('ustar')
})

test('what goes wrong with the copy comes out as it is, and nothing is left on the server', async () => {
  await using postgres = await ownPostgres()
  const full = Object.assign(new Error('no room'), { code: 'ENOSPC' })
  const failing = withBaseBackup(postgres.url, async ({ tar }) => {
    for await (const _ of tar) throw full
  })
  await expect(failing).rejects.toBe(full)
  await using store = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
  await eventually(async () => {
    const { rows } = await store.pool.query(`
      SELECT (SELECT count(*)::int FROM pg_replication_slots) AS slots,
        (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'walsender') AS senders`)
    expect(rows).toEqual([{ slots: 0, senders: 0 }])
  })
})

test('a PostgreSQL that ends in the middle, or refuses it, is no backup', async () => {
  await using postgres = await ownPostgres()
  let bytes = 0
  const broken = withBaseBackup(postgres.url, async ({ tar }) => {
    for await (const chunk of tar) {
      if (bytes === 0) await postgres.kill()
      bytes += (chunk as Buffer).length
    }
  })
  await expect(broken).rejects.toMatchObject({ code: 'store_unavailable', message: /^the backup failed/ })
  expect(bytes).toBeGreaterThan(0)
})

test('its facts are those of the log and of this version', async () => {
  await using store = await ownStore()
  await store.pool.query("INSERT INTO topics (name, head) VALUES ('a', 3), ('b', 4)")
  expect(await readBackupFacts(store.url)).toMatchObject({
    postgres: expect.stringMatching(/^\d+\.\d+/),
    schema: newestMigration(),
    topics: 2,
    events: 7,
  })
})
