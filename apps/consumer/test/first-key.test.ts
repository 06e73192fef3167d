/** The program that makes the first key, as its own process. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { keyIdIn } from '@sekali/store/key-text'
import { findKeys, isLiveAt } from '@sekali/store/keys'
import { readAudit } from '@sekali/store/read-audit'
import { ownStore } from '@sekali/testkit/own'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../src/first-key.ts', import.meta.url))

function run(env: Record<string, string>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

test('the first key alone is printed, once, and the lost one is replaced', async () => {
  await using store = await ownStore()
  const env = { DATABASE_URL: store.url }
  const first = run(env)
  expect(first).toEqual({ status: 0, stdout: expect.stringMatching(/^sekali_\w+\n$/), stderr: '' })
  const id = keyIdIn(first.stdout.trim()) ?? ''
  expect((await findKeys(store, [id])).get(id)?.grant.scopes).toEqual(['publish', 'read', 'work', 'admin'])

  expect(run(env)).toEqual({ status: 1, stdout: '', stderr: expect.stringMatching(/already.*--replace/) })
  expect(run(env, '--if-none')).toEqual({ status: 0, stdout: '', stderr: '' })

  const second = run(env, '--replace')
  expect(second).toEqual({ status: 0, stdout: expect.stringMatching(/^sekali_\w+\n$/), stderr: '' })
  const lost = (await findKeys(store, [id])).get(id)
  expect(lost && isLiveAt(lost, Date.now())).toBe(false)
  expect(await readAudit(store, { after: 0, limit: 9 })).toMatchObject([
    { actor: 'first-key', action: 'key_created', target: id },
    { actor: 'first-key', action: 'key_revoked', target: id },
    { actor: 'first-key', action: 'key_created', target: keyIdIn(second.stdout.trim()) },
  ])
})

test('what makes no sense is refused with status 2, and a PostgreSQL that is away is said, without what was given', () => {
  const url = 'postgres://sekali_owner:planted-password@127.0.0.1:1/sekali'
  const planted = 'sekali_planted'
  for (const [env, ...args] of [
    [{ DATABASE_URL: url }, '--replace', '--if-none'],
    [{ DATABASE_URL: url }, planted],
    [{ DATABASE_URL: url }, `--${planted}`],
    [{}],
    [{ DATABASE_URL: planted }],
  ] as [Record<string, string>, ...string[]][]) {
    const { status, stdout, stderr } = run(env, ...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/Usage|DATABASE_URL/)
    expect(stderr).not.toContain('planted')
  }
  const away = run({ DATABASE_URL: url })
  expect(away).toEqual({
    status: 1,
    stdout: '',
    stderr: expect.stringContaining('making of the first key failed'),
  })
  expect(away.stderr).not.toContain('planted')
  expect(away.stderr.trim().split('\n')).toHaveLength(1)
})
