/** A system that asks whoever comes for a key, as npm start and npm run demo bring it. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { runBootstrap, type Service, startService } from '../test/start.ts'

const sekali = fileURLToPath(new URL('../../../apps/cli/bin/sekali.mjs', import.meta.url))
const bootstrap = fileURLToPath(new URL('../bootstrap.mjs', import.meta.url))
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

test('into a log no key is printed, but the command that makes one, which works; it lies in no file, and no start prints it', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using first = await startService(folder.path, ['--consumers', '1'], asksForKeys)
  expect(await keysIn(first)).toEqual([])
  const command = /^ +(DATABASE_URL=.*first-key\.ts)$/m.exec(first.said())?.[1] ?? 'false'
  const key = execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim()
  expect(key).toMatch(keyForm)
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

  const shown = ['--consumers', '1', '--print-first-key']
  await using second = await startService(folder.path, shown, asksForKeys)
  expect(await keysIn(second)).toEqual([])
  expect(second.said()).toContain('--replace-first-key')
  await stop(second)
}, 120_000)

test('a first key that is asked for is printed once, and is replaced by another', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const shown = ['--consumers', '1', '--print-first-key']
  await using first = await startService(folder.path, shown, asksForKeys)
  const [key = '', ...others] = await keysIn(first)
  expect(key).not.toBe('')
  expect(others).toEqual([])
  await stop(first)
  await using second = await startService(folder.path, [...shown, '--replace-first-key'], asksForKeys)
  const [another = '', ...more] = await keysIn(second)
  expect(another).not.toBe('')
  expect(another).not.toBe(key)
  expect(more).toEqual([])
  await stop(second)
})

test('at a terminal the first start prints a key', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const start = [process.execPath, bootstrap, 'start', '--port', String(await freePort()), '--consumers', '1']
  const command = [...start, '--data', folder.path].join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, ...asksForKeys },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  try {
    await eventually(() => expect(said).toContain('Ctrl-C stops everything'), 50_000)
    expect(said.replaceAll('\r', '').match(keyForm)).toHaveLength(1)
  } finally {
    child.stdin.write('\x03')
    await exited
  }
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
