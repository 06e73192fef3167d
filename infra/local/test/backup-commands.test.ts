/** What `npm run backup` and `npm run restore` refuse before they do anything. */
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { postgresMajor } from '@sekali/servers/postgres-binaries'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { type BackupHeader, entryOf, format, headerName } from '../src/backup/format.ts'
import { lockData } from '../src/system/data-lock.ts'

const programs = fileURLToPath(new URL('../src', import.meta.url))

function run(command: 'backup' | 'restore', ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(programs, `${command}.ts`), ...args], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

const refused = (status: number, words: RegExp) => ({
  status,
  stdout: '',
  stderr: expect.stringMatching(words),
})

test('a backup needs a system that runs, with a PostgreSQL of its own, and a file that is not there', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = join(folder.path, 'log.backup')
  const stopped = /^\nNothing runs on .*: cp -a .* COPY\nOr start it: npm start -- --data .*\n$/
  expect(run('backup', file, '--data', folder.path)).toEqual(refused(2, stopped))
  await writeFile(join(folder.path, 'run.json'), '{"postgres":{"pid":null,"url":""}}')
  const given =
    /runs no PostgreSQL of its own at the moment\. If DATABASE_URL names one, .*pg_dump; .*repeat this\.\n$/
  expect(run('backup', file, '--data', folder.path)).toEqual(refused(2, given))
  await writeFile(file, '')
  const there = /log\.backup is there, and is not written over: choose another name\.\n$/
  expect(run('backup', file, '--data', folder.path)).toEqual(refused(2, there))
})

/** The beginning of a backup: what decides whether it is restored at all. */
async function backupOf(folder: string, differs: Partial<BackupHeader> = {}): Promise<string> {
  const file = join(folder, 'log.backup')
  const header: BackupHeader = {
    format,
    begunAt: '2026-11-28T10:00:00.000Z',
    sekali: '9.9.9',
    postgres: `${await postgresMajor()}.1`,
    schema: 0,
    topics: 1,
    events: 1,
    bytes: 1,
    password: 'secret',
    ...differs,
  }
  await writeFile(file, gzipSync(entryOf(headerName, JSON.stringify(header))))
  return file
}

test('a backup of another version is not restored, and nothing is made', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const data = join(folder.path, 'data')
  const restore = async (differs: Partial<BackupHeader>) =>
    run('restore', await backupOf(folder.path, differs), '--data', data)
  expect(await restore({ postgres: '99.1' })).toEqual(
    refused(2, /is of PostgreSQL 99\.1, and this version of Sekali brings \d+: restore it with the version/),
  )
  expect(await restore({ schema: Date.parse('2999-01-01') })).toEqual(
    refused(2, /is of a later version of Sekali \(9\.9\.9\), whose tables this one does not know/),
  )
  expect(await restore({ format: 99 })).toEqual(
    refused(1, /log\.backup is a backup of a later version of Sekali \(9\.9\.9\): restore it with that\.\n$/),
  )
  await writeFile(join(folder.path, 'notes.txt'), 'no backup')
  expect(run('restore', join(folder.path, 'notes.txt'), '--data', data)).toEqual(
    refused(1, /notes\.txt is no backup that this version of Sekali has made\.\n$/),
  )
  expect(await readdir(folder.path)).not.toContain('data')
})

test('a backup is not restored into a folder with data, nor under a system that runs', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = await backupOf(folder.path)
  const data = join(folder.path, 'data')
  await mkdir(join(data, 'redis'), { recursive: true })
  await writeFile(join(data, 'redis', 'appendonly.aof'), '')
  expect(run('restore', file, '--data', data)).toEqual(
    refused(2, /data\/redis is there: a backup is restored into a folder without data.*with --data\.\n$/),
  )
  await using _ = await lockData(data)
  expect(run('restore', file, '--data', data)).toEqual(refused(1, /is in use by process \d+/))
})
