import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { startPostgres } from '../src/postgres/server.ts'
import { askPostgres } from '../test/ask.ts'
import { ownFolder } from '../test/folder.ts'

test('PostgreSQL keeps its commits across a stop and a kill -9, on the same URL', async () => {
  await using folder = await ownFolder()
  const first = await startPostgres({ dir: folder.path })
  await askPostgres(first.url, "CREATE TABLE kept AS SELECT 'stop' AS what")
  await first.stop()
  const second = await startPostgres({ dir: folder.path, port: first.port })
  expect(second.url).toBe(first.url)
  await askPostgres(second.url, "INSERT INTO kept VALUES ('kill')")
  second.kill('SIGKILL')
  await second.exited
  await using third = await startPostgres({ dir: folder.path, port: first.port })
  expect(await askPostgres(third.url, "SELECT string_agg(what, ' ') FROM kept")).toBe('stop kill')
})

test('two PostgreSQL servers run side by side, below a directory that is closed to others', async () => {
  await using folder = await ownFolder(0o700)
  await using one = await startPostgres({ dir: join(folder.path, 'one') })
  await using two = await startPostgres({ dir: join(folder.path, 'two') })
  expect(one.port).not.toBe(two.port)
  await askPostgres(one.url, 'CREATE TABLE mine ()')
  expect(await askPostgres(two.url, "SELECT to_regclass('mine')")).toBe(null)
})

test('PostgreSQL runs with durable settings, in UTF-8, with byte order, and not as root', async () => {
  await using folder = await ownFolder(0o755)
  await using postgres = await startPostgres({ dir: folder.path, settings: { max_connections: '20' } })
  const setting = (name: string) => askPostgres(postgres.url, `SHOW ${name}`)
  expect(await setting('fsync')).toBe('on')
  expect(await setting('synchronous_commit')).toBe('on')
  expect(await setting('full_page_writes')).toBe('on')
  expect(await setting('server_encoding')).toBe('UTF8')
  expect(await setting('max_connections')).toBe('20')
  expect(await askPostgres(postgres.url, "SELECT 'Z' < 'a'")).toBe(true)
  expect((await stat(join(folder.path, 'data', 'PG_VERSION'))).uid).not.toBe(0)
})

test('PostgreSQL takes only who knows the password, which stands in a closed file only', async () => {
  await using folder = await ownFolder()
  await using postgres = await startPostgres({ dir: folder.path })
  const stranger = new URL(postgres.url)
  stranger.password = 'guess'
  await expect(askPostgres(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  expect((await stat(join(folder.path, 'password'))).mode & 0o077).toBe(0)
  const commandLine = await readFile(`/proc/${postgres.pid}/cmdline`, 'utf8').catch(() => '')
  expect(commandLine).not.toContain(new URL(postgres.url).password)
})

test('a second PostgreSQL on the same directory is refused, and the first one stays', async () => {
  await using folder = await ownFolder()
  await using postgres = await startPostgres({ dir: folder.path })
  await expect(startPostgres({ dir: folder.path })).rejects.toMatchObject({ code: 'data_in_use' })
  expect(await askPostgres(postgres.url, 'SELECT 1')).toBe(1)
})

test('a postmaster.pid left behind does not matter when somebody else has its process id', async () => {
  await using folder = await ownFolder()
  const first = await startPostgres({ dir: folder.path })
  const pidFile = join(folder.path, 'data', 'postmaster.pid')
  const left = await readFile(pidFile, 'utf8')
  await first.stop()
  await writeFile(pidFile, left.replace(String(first.pid), String(process.pid)))
  await using second = await startPostgres({ dir: folder.path })
  expect(await askPostgres(second.url, 'SELECT 1')).toBe(1)
})

test('a data directory whose making was interrupted is made again', async () => {
  await using folder = await ownFolder()
  await mkdir(join(folder.path, 'data.new', 'base'), { recursive: true })
  await cp(import.meta.filename, join(folder.path, 'data.new', 'PG_VERSION'))
  await using postgres = await startPostgres({ dir: folder.path })
  expect(await askPostgres(postgres.url, 'SELECT 1')).toBe(1)
})

test('a PostgreSQL that does not start says why', async () => {
  await using folder = await ownFolder()
  const start = startPostgres({ dir: folder.path, settings: { shared_buffers: 'much' } })
  await expect(start).rejects.toThrow(/PostgreSQL did not start .*shared_buffers/s)
})
