import { execFileSync } from 'node:child_process'
import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@sekali/servers/postgres-server'
import { commandLineOf } from '@sekali/servers/process-info'
import { startRedis } from '@sekali/servers/redis-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { askPostgres, askRedis } from '../../../packages/servers/test/ask.ts'
import type { RunFile } from '../src/system/run-file.ts'
import { type Service, startService } from '../test/start.ts'

const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

async function publish(service: Service, id: string): Promise<number> {
  const event = {
    topic: 'orders',
    event_id: id,
    timestamp: '2026-01-02T03:04:05Z',
    source: 'shop',
    payload: { id },
  }
  const body = JSON.stringify(event)
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${service.url}/publish`, { method: 'POST', headers, body })).status
}

async function storedIds(service: Service): Promise<string[]> {
  const events = (await (await fetch(`${service.url}/events?topic=orders&after=0`)).json()) as {
    event_id: string
  }[]
  return events.map((event) => event.event_id)
}

const pidsOf = (running: RunFile) => [
  running.gateway.pid,
  ...running.consumers.map(({ pid }) => pid),
  ...running.projectors.map(({ pid }) => pid),
  ...running.dispatchers.map(({ pid }) => pid),
  running.redis.pid,
  running.postgres.pid,
]

async function expectAllGone(pids: readonly (number | null)[]): Promise<void> {
  await eventually(async () => {
    for (const pid of pids) expect(await commandLineOf(pid ?? 0)).toBe(undefined)
  })
}

test('run.json names what runs, a stop leaves nothing running, and the data stay', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const args = ['--consumers', '2', '--projections', examples]
  await using first = await startService(folder.path, args)
  const running = await first.ready()
  expect(running.gateway.url).toBe(first.url)
  expect((await fetch(`${running.gateway.health}/readyz`)).status).toBe(200)
  expect(running.consumers.map(({ name }) => name)).toEqual(['consumer-1', 'consumer-2'])
  expect(running.projectors.map(({ name }) => name)).toEqual(['projector-1'])
  expect(running.dispatchers.map(({ name }) => name)).toEqual(['dispatcher-1'])
  expect((await stat(join(folder.path, 'run.json'))).mode & 0o077).toBe(0)
  for (const pid of pidsOf(running))
    expect(await readFile(`/proc/${pid}/status`, 'utf8')).not.toMatch(/^Uid:.*\t0\b/m)
  expect(await publish(first, 'e1')).toBe(200)
  await eventually(async () => expect(await storedIds(first)).toEqual(['e1']))
  await eventually(async () => {
    const projections = (await (await fetch(`${first.url}/projections`)).json()) as object[]
    expect(projections).toHaveLength(5)
    expect(projections).toContainEqual(expect.objectContaining({ name: 'activity', as_of: { orders: 1 } }))
  })
  first.child.kill('SIGINT')
  expect(await first.exited).toBe(0)
  await expectAllGone(pidsOf(running))
  await expect(access(join(folder.path, 'run.json'))).rejects.toThrow()

  await using second = await startService(folder.path, ['--consumers', '1'])
  await second.ready()
  expect(await storedIds(second)).toEqual(['e1'])
})

test('the commands that are printed at the start show an event, the log and a state when they are typed', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  // A name that careless quoting would break.
  const data = join(folder.path, "data of l'été")
  await using service = await startService(data, ['--consumers', '1', '--projections', examples])
  await eventually(async () => expect(service.said()).toContain('Ctrl-C stops everything'), 50_000)
  const commands = service.said().match(/^ {2}curl .*$/gm) ?? []
  const type = (command = '') => JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' }))
  expect(type(commands[0])).toMatchObject({ status: 'stored', seq: 1 })
  expect(type(commands[1])).toMatchObject([{ topic: 'orders.test.paid', seq: 1 }])
  await eventually(async () => {
    const state = { orders: 1, cents: 1250 }
    expect(type(commands[2])).toMatchObject({ name: 'customer-totals', keys: [{ key: 'c-1', state }] })
  })
  expect(type(commands[3])).toMatchObject({ totals: { accepted: 1, stored: 1, in_flight: 0 } })

  const { redis, postgres } = await service.running()
  await requireDebian('redis-tools', 'postgresql-client')
  const ask = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' }).trim()
  expect(ask('redis-cli', '-u', redis.url, '--no-auth-warning', 'PING')).toBe('PONG')
  const [, memory] = ask(
    'redis-cli',
    '-u',
    redis.url,
    '--no-auth-warning',
    'CONFIG',
    'GET',
    'maxmemory',
  ).split('\n')
  expect(Number(memory)).toBeGreaterThanOrEqual(512 * 1024 * 1024)
  expect(ask('psql', postgres.url, '-Atc', 'SELECT count(*) FROM events')).toBe('1')
  service.child.kill('SIGINT')
  expect(await service.exited).toBe(0)
  expect(service.said()).toContain(`is stopped; the data stay in ${data}`)
})

test('all of it is started again when it is killed, on the same URLs, and events go on [P1] [P9]', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using service = await startService(folder.path, ['--consumers', '1'])
  const before = await service.ready()
  for (const pid of pidsOf(before)) process.kill(pid ?? 0, 'SIGKILL')
  const after = await eventually(async () => {
    const now = await service.running()
    const fresh = pidsOf(now).filter((pid) => pid !== null && !pidsOf(before).includes(pid))
    expect(fresh).toHaveLength(5)
    return now
  }, 30_000)
  expect(after.redis.url).toBe(before.redis.url)
  expect(after.postgres.url).toBe(before.postgres.url)
  await eventually(async () => expect(await publish(service, 'e1')).toBe(200), 30_000)
  await eventually(async () => expect(await storedIds(service)).toEqual(['e1']), 30_000)
})

test('a killed supervisor takes everything with it, and the next start goes on [P1]', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using first = await startService(folder.path, ['--consumers', '1'])
  const running = await first.ready()
  expect(await publish(first, 'e1')).toBe(200)
  await eventually(async () => expect(await storedIds(first)).toEqual(['e1']))
  const supervisor = Number((await readLock(folder.path)).split(' ')[0])
  process.kill(supervisor, 'SIGKILL')
  await first.exited
  await using second = await startService(folder.path, ['--consumers', '1'])
  await second.ready()
  await expectAllGone(pidsOf(running))
  expect(await storedIds(second)).toEqual(['e1'])
})

test('a Redis and a PostgreSQL that are given are used, and left running; apps get their settings', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using redis = await startRedis({ dir: join(folder.path, 'my-redis') })
  await using postgres = await startPostgres({ dir: join(folder.path, 'my-postgres') })
  const env = { REDIS_URL: redis.url, DATABASE_URL: postgres.url, TAILS_MAX: '0' }
  const data = join(folder.path, 'data')
  await using service = await startService(data, ['--consumers', '1'], env)
  const running = await service.ready()
  expect(running.redis).toEqual({ pid: null, url: redis.url })
  expect(running.postgres).toEqual({ pid: null, url: postgres.url })
  expect(await publish(service, 'e1')).toBe(200)
  await eventually(async () => expect(await storedIds(service)).toEqual(['e1']))
  expect((await fetch(`${service.url}/tail?topic=orders`)).status).toBe(503)
  service.child.kill('SIGTERM')
  expect(await service.exited).toBe(0)
  expect(await askPostgres(postgres.url, 'SELECT count(*)::int FROM events')).toBe(1)
  expect(await askRedis(redis.url, 'PING')).toBe('+PONG\r\n')
})

test('a data directory in use and a port that is taken are refused with what to do', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using other = await temporaryFolder('sekali-test-')
  await using service = await startService(folder.path, ['--consumers', '1'])
  await service.ready()
  await using sameData = await startService(folder.path)
  expect(await sameData.exited).toBe(1)
  expect(sameData.said()).toMatch(/in use by process \d+, which answers on http.*kill \d+.*--data/s)
  await using samePort = await startService(other.path, ['--port', new URL(service.url).port])
  expect(await samePort.exited).toBe(1)
  expect(samePort.said()).toMatch(
    /Port \d+ is taken by another npm start, process \d+.*npm start -- --port \d+/s,
  )
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200)
})

test('what is wrong with a definition is said on the console at once, and again when it is mended', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const definitions = join(folder.path, 'definitions')
  await mkdir(definitions)
  const file = join(definitions, 'wrong.ts')
  await writeFile(file, 'const fine = 1\nexport const = 1\n')
  const args = ['--consumers', '1', '--projectors', '2', '--projections', definitions]
  await using service = await startService(join(folder.path, 'data'), args)
  await service.ready()
  await eventually(() =>
    expect(service.said()).toMatch(/definitions\/wrong\.ts:2 does not load: SyntaxError: .*\. Mend it; /),
  )
  // One that comes late would tell it when the other has told that it is mended.
  for (const name of ['projector-1', 'projector-2']) {
    const log = join(folder.path, 'data', 'logs', `${name}.log`)
    await eventually(async () => expect(await readFile(log, 'utf8')).toContain('wrong.ts'))
  }
  await rm(file)
  await eventually(() => expect(service.said()).toContain('definitions/wrong.ts is mended, or gone'))
  // Both projectors have told it.
  expect(service.said().match(/wrong\.ts/g)).toHaveLength(2)
})

async function readLock(dir: string): Promise<string> {
  return await readFile(join(dir, 'lock'), 'utf8')
}
