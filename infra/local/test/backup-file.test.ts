/** The file of a backup, without a PostgreSQL: its data folder is any folder here. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { type BackupHeader, entryOf, format, headerName } from '../src/backup/format.ts'
import { openBackup } from '../src/backup/read-backup.ts'
import { requireEmpty, restoreInto } from '../src/backup/restore-folder.ts'
import { writeBackup } from '../src/backup/write-backup.ts'
import { clearMark, whyRestored } from '../src/system/restored-mark.ts'

const header: BackupHeader = {
  format,
  begunAt: '2026-11-28T10:00:00.000Z',
  sekali: '0.1.0',
  postgres: '18.4',
  schema: 1,
  topics: 2,
  events: 300,
  bytes: 1_000,
  password: 'secret',
  webhookKey: '5a5a',
}

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

const quietly = { onBytes: () => {}, signal: new AbortController().signal }

/** A folder as PostgreSQL has one, with files of all sizes around a block's, as a tar archive in pieces of `pieceBytes`. */
async function* archiveIn(folder: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const data = join(folder, 'data')
  if (!existsSync(data)) {
    await mkdir(join(data, 'base', '1'), { recursive: true })
    await mkdir(join(data, 'pg_notify'), { mode: 0o700 })
    for (const bytes of [0, 1, 511, 512, 513, 70_000]) {
      await writeFile(join(data, 'base', '1', `of-${bytes}`), Buffer.alloc(bytes, `${bytes} `), {
        mode: 0o600,
      })
    }
    await writeFile(join(data, 'PG_VERSION'), '18\n')
  }
  const tar = execFileSync('tar', ['-c', '--format=ustar', '--blocking-factor=1', '-C', data, '.'], {
    maxBuffer: 2 ** 24,
  })
  for (let at = 0; at < tar.length; at += pieceBytes) yield tar.subarray(at, at + pieceBytes)
}

async function ownBackup(folder: Folder, pieceBytes = 10_000): Promise<string> {
  const file = join(folder.path, 'log.backup')
  await writeBackup(file, header, archiveIn(folder.path, pieceBytes), quietly)
  return file
}

async function restored(folder: Folder, file: string): Promise<string> {
  const dir = join(folder.path, 'restored')
  await mkdir(dir, { recursive: true })
  await requireEmpty(dir, header.bytes)
  await using backup = await openBackup(file)
  await restoreInto(dir, backup, quietly)
  return dir
}

const filesIn = async (folder: string) => {
  const names = (await readdir(folder, { recursive: true })).sort()
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      const { mode } = await stat(path)
      const content = (await stat(path)).isDirectory() ? undefined : (await readFile(path)).toString('hex')
      return [name, mode & 0o777, content]
    }),
  )
}

// In pieces smaller than the end of an archive, and larger than all of it.
test.each([1, 700, 10_000, 10_000_000])(
  'a folder comes back as it was, read in pieces of %i',
  async (bytes) => {
    await using folder = await temporaryFolder('sekali-test-')
    const file = await ownBackup(folder, bytes)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const dir = await restored(folder, file)
    expect(await filesIn(join(dir, 'postgres', 'data'))).toEqual(await filesIn(join(folder.path, 'data')))
    expect(await readFile(join(dir, 'postgres', 'password'), 'utf8')).toBe('secret\n')
    expect(await readFile(join(dir, 'webhook-key'), 'utf8')).toBe('5a5a\n')
    expect((await stat(join(dir, 'webhook-key'))).mode & 0o777).toBe(0o600)
    const mark = JSON.parse(await readFile(join(dir, 'restored.json'), 'utf8'))
    expect(mark).toMatchObject({ begunAt: header.begunAt, events: 300 })
    expect(mark).not.toHaveProperty('password')
    expect(mark).not.toHaveProperty('webhookKey')
  },
)

test('a start begins new epochs in what was restored until one has done so, and in nothing else', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const dir = await restored(folder, await ownBackup(folder))
  expect(await whyRestored(dir, false)).toMatch(/a backup was restored here/)
  await clearMark(dir)
  expect(await whyRestored(dir, false)).toBeUndefined()
  // Of a copy somebody says it, which holds until it is done.
  expect(await whyRestored(dir, true)).toMatch(/--restored says/)
  expect(await whyRestored(dir, false)).toBeDefined()
})

test('a restore that was killed before the data had their place leaves nothing for a start to obey', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const dir = await restored(folder, await ownBackup(folder))
  const postgres = join(dir, 'postgres')
  await rename(join(postgres, 'data'), join(postgres, 'data.new'))
  await expect(whyRestored(dir, true)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('has no data'),
  })
  expect(await whyRestored(dir, false)).toBeUndefined()
  // Nor once there is a log.
  await rename(join(postgres, 'data.new'), join(postgres, 'data'))
  expect(await whyRestored(dir, false)).toBeUndefined()
})

test('tar reads it as well', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = await ownBackup(folder)
  const listed = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n')
  expect(listed.at(0)).toBe('sekali-backup.json')
  expect(listed.at(-1)).toBe('sekali-backup.sha256')
  expect(listed).toContain('./base/1/of-513')
})

/** As it is after gzip's own checks: whoever changes a byte can compress it again. */
const changed = (file: Buffer, change: (tar: Buffer) => Buffer): Buffer => gzipSync(change(gunzipSync(file)))

test.each<[string, (file: Buffer) => Buffer, RegExp]>([
  ['ends early', (file) => file.subarray(0, file.length - 100), /is not whole, or has been changed/],
  [
    'has another byte',
    (file) =>
      changed(file, (tar) => {
        tar[tar.indexOf('70000 ')] = 0x78
        return tar
      }),
    /is not whole, or has been changed/,
  ],
  [
    'ends between two files',
    (file) => changed(file, (tar) => tar.subarray(0, tar.indexOf('sekali-backup.sha256'))),
    /is not whole, or has been changed/,
  ],
  ['is no archive', () => Buffer.from('CREATE TABLE events'), /is no backup that this version/],
  ['is empty', () => Buffer.alloc(0), /is no backup that this version/],
  ['is another archive', () => gzipSync(entryOf('base.tar', 'x')), /is no backup that this version/],
  [
    'is of a later version',
    () => gzipSync(entryOf(headerName, JSON.stringify({ ...header, format: 2, sekali: '9.0.0' }))),
    /is a backup of a later version of Sekali \(9\.0\.0\): restore it with that/,
  ],
])('a file that %s is refused in words, and leaves no data folder', async (_, change, words) => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = await ownBackup(folder)
  await writeFile(file, change(await readFile(file)))
  await expect(restored(folder, file)).rejects.toMatchObject({
    code: 'backup_damaged',
    message: expect.stringMatching(words),
  })
  const left = await readdir(join(folder.path, 'restored', 'postgres')).catch(() => [])
  expect(left).not.toContain('data')
  expect(left).not.toContain('data.new')
})

test('a path that leads out of the folder is not followed', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = join(folder.path, 'log.backup')
  const evil = entryOf('../outside', 'x')
  await writeBackup(
    file,
    header,
    (async function* () {
      yield evil
    })(),
    quietly,
  )
  await expect(restored(folder, file)).rejects.toMatchObject({ code: 'backup_damaged' })
  expect(existsSync(join(folder.path, 'restored', 'postgres', 'outside'))).toBe(false)
})

test('a backup that fails leaves no file, and one that is being written is not written over', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = join(folder.path, 'log.backup')
  const lost = async function* () {
    yield Buffer.alloc(5_000)
    throw new Error('the server is gone')
  }
  await expect(writeBackup(file, header, lost(), quietly)).rejects.toThrow('the server is gone')
  expect(await readdir(folder.path)).toEqual([])
  await writeFile(`${file}.part`, '')
  await expect(ownBackup(folder)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /log\.backup\.part is there: another backup is writing it, or one was killed/,
    ),
  })
})

test('a folder with a log is not restored over, nor is one on a disk without room', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = await ownBackup(folder)
  await restored(folder, file)
  await expect(restored(folder, file)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /postgres\/data is there: .*Move .* away, or choose another folder with --data/,
    ),
  })
  await expect(requireEmpty(folder.path, 2 ** 60)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/bytes free, and the backup needs [\d,]{20,}: make room/),
  })
  const inFlight = join(folder.path, 'in-flight')
  await mkdir(join(inFlight, 'redis'), { recursive: true })
  await writeFile(join(inFlight, 'redis', 'appendonly.aof'), '')
  await expect(requireEmpty(inFlight, 1)).rejects.toMatchObject({ code: 'usage' })
})
