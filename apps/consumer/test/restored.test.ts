/** The program that begins epochs, as its own process. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { readForks } from '@sekali/store/forks'
import { readKeysState } from '@sekali/store/keys-state'
import { eventually } from '@sekali/testkit/eventually'
import { fillLog } from '@sekali/testkit/fill-log'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../src/operate/restored.ts', import.meta.url))

function run(url: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

test('the program says what there is, and begins an epoch only where it is told to', async () => {
  await using store = await ownStore()
  await fillLog(store, { a: 5, b: 7 }, { payload: `'{}'` })
  const counted = expect.stringMatching(/^2 topics with 12 events, the newest stored at 20.*Z\n$/)
  const hint = expect.stringContaining('in 2 topics something was stored since PostgreSQL started')
  expect(run(store.url, '--dry-run')).toEqual({ status: 0, stdout: counted, stderr: hint })
  expect(run(store.url)).toEqual({
    status: 1,
    stdout: counted,
    stderr: expect.stringMatching(/say --yes\n$/),
  })
  expect(await readForks(store)).toEqual(new Map())
  const begun = {
    status: 0,
    stdout: expect.stringMatching(/^epoch \d+ of 2 topics has begun\n$/),
    stderr: '',
  }
  expect(run(store.url, '--yes', '--at', '2020-01-01T00:00:00Z')).toEqual(begun)
  expect(
    [...(await readForks(store)).values()].map(({ forks }) => forks.map(({ forkedAt }) => forkedAt)),
  ).toEqual([[0], [0]])
  await store.pool.query("UPDATE events SET stored_at = '2020-01-01Z'") // and nothing since the start
  expect(run(store.url, '--yes')).toEqual(begun)
})

test('where something was stored since PostgreSQL started, the program begins no epoch without a time', async () => {
  await using store = await ownStore()
  await fillLog(store, { a: 5, b: 7 }, { payload: `'{}'` })
  expect(run(store.url, '--yes')).toEqual({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^in 2 topics something was stored since PostgreSQL started at \S+Z: .*say --at.*\nno epoch has begun\n$/,
    ),
  })
  expect(await readForks(store)).toEqual(new Map())
})

test('what makes no sense is refused with status 2, without what was given', () => {
  const url = 'postgres://sekali_owner:planted-password@127.0.0.1:1/sekali'
  for (const args of [['--yes', '--dry-run'], ['planted'], ['--at', 'planted'], ['--planted']]) {
    const { status, stdout, stderr } = run(url, ...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Usage')
    expect(stderr).not.toContain('planted')
  }
  const away = run(url, '--yes')
  expect(away.status).toBe(1)
  expect(away.stderr).toContain('PostgreSQL')
  expect(away.stderr).not.toContain('planted')
})

test('it is no process of an older version, for which an upgrade would wait', async () => {
  await using store = await ownStore()
  const client = await store.pool.connect()
  await client.query("BEGIN; SELECT pg_advisory_xact_lock(hashtext('sekali begin_epochs'))")
  const child = spawn(process.execPath, [program, '--yes'], {
    env: { PATH: process.env.PATH, DATABASE_URL: store.url },
  })
  const ended = once(child, 'exit')
  await eventually(async () => {
    const { rows } = await store.pool.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%restored'",
    )
    expect(rows).toHaveLength(1)
  })
  expect((await readKeysState(store.pool)).older).toEqual([])
  await client.query('COMMIT')
  client.release()
  expect(await ended).toEqual([0, null])
})
