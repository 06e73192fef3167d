/** A system that asks whoever comes for a key, as npm start and npm run demo bring it. */
import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { runBootstrap, type Service, startService } from '../test/start.ts'

const sekali = fileURLToPath(new URL('../../../apps/cli/bin/sekali.mjs', import.meta.url))
const asksForKeys = { SEKALI_AUTH: 'keys' }
const keyForm = /^sekali_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/gm

/** The keys that a start has printed, once it has printed everything. */
async function keysIn(service: Service): Promise<string[]> {
  await eventually(() => expect(service.said()).toContain('Ctrl-C stops everything'), 50_000)
  return service.said().match(keyForm) ?? []
}

async function stop(service: Service): Promise<void> {
  service.child.kill('SIGTERM')
  expect(await service.exited).toBe(0)
}

test('the first start prints a key once, which works and lies in no file, and the next start prints none', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using first = await startService(folder.path, ['--consumers', '1'], asksForKeys)
  const [key = '', ...more] = await keysIn(first)
  expect(key).not.toBe('')
  expect(more).toEqual([])
  const ask = (...args: string[]) =>
    execFileSync(process.execPath, [sekali, ...args], {
      env: { PATH: process.env.PATH, SEKALI_URL: first.url, SEKALI_TOKEN: key },
      encoding: 'utf8',
    })
  expect(ask('doctor')).toMatch(/all well/)
  expect(ask('audit')).toMatch(/first-key +here +key_created/)
  const made = ask('key', 'create', 'shop', '--scope', 'publish', '--topic', '>')
  expect(ask('key', 'list')).toMatch(/shop +live/)

  // Neither a file nor a process has it while it runs, nor a file afterwards.
  const { gateway, consumers, postgres, redis } = await first.running()
  const secrets = [key, made].map((text) => text.split('_')[2] ?? '')
  for (const pid of [
    first.child.pid,
    gateway.pid,
    postgres.pid,
    redis.pid,
    ...consumers.map(({ pid }) => pid),
  ]) {
    for (const name of ['cmdline', 'environ']) {
      const text = await readFile(`/proc/${pid}/${name}`, 'utf8')
      for (const secret of secrets) expect(text).not.toContain(secret)
    }
  }
  await stop(first)
  const names = await readdir(folder.path, { recursive: true, withFileTypes: true })
  const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  expect(files.some((file) => file.endsWith('gateway.log'))).toBe(true)
  for (const file of files) {
    const bytes = await readFile(file)
    for (const secret of secrets) expect(bytes.includes(secret), file).toBe(false)
  }

  await using second = await startService(folder.path, ['--consumers', '1'], asksForKeys)
  expect(await keysIn(second)).toEqual([])
  expect(second.said()).toContain('--replace-first-key')
  await stop(second)

  await using third = await startService(
    folder.path,
    ['--consumers', '1', '--replace-first-key'],
    asksForKeys,
  )
  const [another = ''] = await keysIn(third)
  expect(another).not.toBe('')
  expect(another).not.toBe(key)
})

test('the demo balances with keys, too', async () => {
  await using demo = runBootstrap(['demo', '--events', '500', '--consumers', '2'], { env: asksForKeys })
  expect(await demo.exited).toBe(0)
  expect(demo.said().match(keyForm)).toBe(null)
})

test('a host that other machines reach is refused before anything is started, unless it is open on purpose', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const args = ['--host', '0.0.0.0', '--consumers', '1']
  await using refused = await startService(folder.path, args)
  expect(await refused.exited).toBe(2)
  expect(refused.said()).toMatch(/--host 0\.0\.0\.0 .*SEKALI_AUTH=keys.*SEKALI_AUTH=off-on-purpose/s)
  expect(await readdir(folder.path)).toEqual([])
  await using open = await startService(folder.path, args, { SEKALI_AUTH: 'off-on-purpose' })
  expect(await keysIn(open)).toEqual([])
  expect((await fetch(`${open.url}/stats`)).status).toBe(200)
})
