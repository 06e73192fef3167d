/** Who the apps of `npm start` are to PostgreSQL, and what each of them may not do there. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '@sekali/servers/postgres-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { connectStore } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { expect, test } from 'vitest'
import { askPostgres } from '../../../packages/servers/test/ask.ts'
import { startService } from '../test/start.ts'

/** The environment of a process that we started. */
async function envOf(pid: number | null | undefined): Promise<Record<string, string>> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8')
  const entries = text.split('\0').filter((entry) => entry !== '')
  return Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s, 2) as [string, string]))
}

const commandOf = (pid: number | null | undefined) => readFile(`/proc/${pid}/cmdline`, 'utf8')

const refused = { code: '42501' }

test('each app connects as its own role, and may do no more than that role', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using service = await startService(folder.path, ['--consumers', '2', '--projectors', '2'])
  const running = await service.ready()
  const { postgres, gateway, consumers, projectors, dispatchers } = running
  const body = `{"topic":"orders","event_id":"e","timestamp":"2026-01-02T03:04:05Z","source":"s","payload":{}}`
  const headers = { 'content-type': 'application/json', Prefer: 'wait=20' }
  const answer = await fetch(`${service.url}/publish`, { method: 'POST', headers, body })
  expect(await answer.json()).toMatchObject({ status: 'stored' })
  await eventually(async () => {
    await using store = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
    const { rows } = await store.pool.query<{ name: string; role: string }>(`
      SELECT DISTINCT application_name AS name, usename AS role FROM pg_stat_activity
      WHERE application_name LIKE 'sekali%' ORDER BY 1, 2`)
    expect(rows).toEqual([
      { name: 'sekali/2-consumer-1', role: 'sekali_consumer' },
      { name: 'sekali/2-consumer-2', role: 'sekali_consumer' },
      { name: 'sekali/2-dispatcher-1', role: 'sekali_dispatcher' },
      { name: 'sekali/2-gateway', role: 'sekali_gateway' },
      { name: 'sekali/2-projector-1', role: 'sekali_projector' },
      { name: 'sekali/2-projector-2', role: 'sekali_projector' },
    ])
  })

  await using stack = new AsyncDisposableStack()
  const as = async (pid: number | null | undefined) => {
    const { DATABASE_URL: url = '' } = await envOf(pid)
    return stack.use(connectStore({ url, poolMax: 1, name: 'test' }, quiet)).pool
  }
  const projector = await as(projectors[0]?.pid)
  const consumer = await as(consumers[0]?.pid)
  const sender = await as(dispatchers[0]?.pid)
  const reader = await as(gateway.pid)
  const owner = stack.use(connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)).pool
  for (const statement of [
    "UPDATE events SET source = 'other'",
    'DELETE FROM events',
    'SELECT FROM pg_authid',
    'SELECT pepper FROM installation',
    'CREATE TABLE public.mine ()',
    'CREATE TABLE projections.mine ()',
    'CREATE TEMPORARY TABLE mine ()',
    'CREATE SCHEMA mine',
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/mine'",
  ]) {
    await expect(projector.query(statement), statement).rejects.toMatchObject(refused)
  }
  for (const statement of [
    'SELECT FROM events',
    'SELECT FROM access.keys',
    'SELECT FROM audit.entries',
    'SELECT pepper FROM installation',
    'UPDATE subscriptions.subscriptions SET state = state',
    "SELECT drop_topic('orders')",
    'CREATE TEMPORARY TABLE mine ()',
  ]) {
    await expect(sender.query(statement), statement).rejects.toMatchObject(refused)
  }
  for (const statement of [
    'DROP TABLE events',
    'DELETE FROM events',
    "SELECT drop_topic('orders')",
    'UPDATE installation SET pepper = pepper',
    'DELETE FROM key_upgrade',
  ]) {
    await expect(consumer.query(statement), statement).rejects.toMatchObject(refused)
  }
  for (const statement of [
    "INSERT INTO topics (name) VALUES ('mine')",
    "UPDATE events SET source = 'other'",
  ]) {
    await expect(reader.query(`SET TRANSACTION READ WRITE; ${statement}`), statement).rejects.toMatchObject(
      refused,
    )
  }
  await expect(owner.query("COPY (SELECT 1) TO PROGRAM 'cat'")).rejects.toMatchObject(refused)
  await expect(owner.query('SELECT FROM pg_authid')).rejects.toMatchObject(refused)

  // No password on a command line, nor in a log.
  const logs = await Promise.all(
    ['migrate', 'gateway', 'consumer-1', 'projector-1', 'dispatcher-1'].map((name) =>
      readFile(join(folder.path, 'logs', `${name}.log`), 'utf8'),
    ),
  )
  const shown = [
    service.said(),
    await readFile(join(folder.path, 'postgres/postgres.log'), 'utf8'),
    ...logs,
    ...(await Promise.all(
      [...projectors, ...dispatchers, ...consumers, gateway, postgres].map(({ pid }) => commandOf(pid)),
    )),
  ].join('\n')
  for (const { pid } of [...projectors, ...dispatchers, ...consumers, gateway]) {
    const { password } = new URL((await envOf(pid)).DATABASE_URL ?? '')
    expect(password.length).toBeGreaterThan(20)
    expect(shown).not.toContain(password)
  }
  expect(shown).not.toContain(new URL(postgres.url).password)
  // The key of webhooks is with those two that need it, and in a file that only its owner reads.
  const key = (await readFile(join(folder.path, 'webhook-key'), 'utf8')).trim()
  expect((await stat(join(folder.path, 'webhook-key'))).mode & 0o777).toBe(0o600)
  expect(shown).not.toContain(key)
  const keys = await Promise.all(
    [gateway, ...dispatchers, ...consumers, ...projectors].map(
      async ({ pid }) => (await envOf(pid)).WEBHOOK_KEY,
    ),
  )
  expect(keys).toEqual([key, key, ...Array(4).fill(undefined)])
  expect(await (await fetch(`${service.url}/doctor`)).json()).toMatchObject({ status: 'ok' })
})

test('passwords are new at each start, and a table of one’s own stays one’s own', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const own = async (statement: string) => {
    await using postgres = await startPostgres({ dir: join(folder.path, 'postgres') })
    return await askPostgres(postgres.url, statement)
  }
  await own('CREATE SCHEMA mine CREATE TABLE mine.notes ()')
  const passwords = new Set<string>()
  for (let start = 0; start < 2; start++) {
    await using service = await startService(folder.path, ['--consumers', '1', '--projectors', '0'])
    const { postgres } = await service.ready()
    passwords.add(new URL(postgres.url).password)
    expect(await askPostgres(postgres.url, 'SELECT current_user')).toBe('sekali_owner')
  }
  expect(passwords.size).toBe(2)
  expect(await own("SELECT tableowner FROM pg_tables WHERE tablename = 'notes'")).toBe('sekali')
})
