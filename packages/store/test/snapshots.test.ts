/** What drizzle-kit makes the next migration from; it refuses to where two of them follow the same one. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const folder = new URL('../migrations/', import.meta.url)

interface Snapshot {
  readonly id: string
  readonly prevId: string
}

test('each migration has a snapshot, which follows the one before', async () => {
  const migrations = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const snapshots = await Promise.all(
    migrations.map(async (name): Promise<Snapshot> => {
      const file = new URL(`meta/${name.slice(0, 4)}_snapshot.json`, folder)
      return JSON.parse(await readFile(file, 'utf8'))
    }),
  )
  expect(snapshots.slice(1).map(({ prevId }) => prevId)).toEqual(snapshots.slice(0, -1).map(({ id }) => id))
})
