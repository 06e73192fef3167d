/**
 * The data folder of an earlier version, opened by this one. It was left by `npm start` of commit d25da9c, all of whose
 * processes were killed at once: three topics of 130 events each, with repeats, conflicts and a dead letter, folded by
 * all projections; and 109 entries in flight, a few of them delivered to a consumer that is gone. `expected.json` in the
 * archive has what that version answered before the last entries came.
 */
import { execFileSync } from 'node:child_process'
import { chown, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { startPostgres } from '@sekali/servers/postgres-server'
import { startRedis } from '@sekali/servers/redis-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { unprivilegedOwner } from '@sekali/servers/unprivileged'
import { connectStore } from '@sekali/store/connect'
import { startApp, startGateway } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { expect, test } from 'vitest'
import { type Service, startService } from '../test/start.ts'
import { startOlderConsumer } from './older-consumer.ts'

const archive = fileURLToPath(new URL('stored/d25da9c.tar.br', import.meta.url))
const examples = fileURLToPath(new URL('../../../examples', import.meta.url))

interface Expected {
  /** Each topic's page of all that was stored, as text. */
  readonly pages: Readonly<Record<string, string>>
  /** A page by pattern, the link to the next one, and that one. */
  readonly pattern: { readonly page: string; readonly link: string; readonly next: string }
}

/** Unpacks the archive, and gives PostgreSQL's files to the user that runs it. */
async function unpackInto(folder: string): Promise<Expected> {
  const tar = brotliDecompressSync(await readFile(archive))
  execFileSync('tar', ['-x', '-C', folder, '--strip-components=1'], { input: tar })
  const owner = unprivilegedOwner()
  if (owner !== undefined) {
    const postgres = join(folder, 'postgres')
    for (const path of await readdir(postgres, { recursive: true })) {
      await chown(join(postgres, path), owner.uid, owner.gid)
    }
    await chown(postgres, owner.uid, owner.gid)
  }
  return JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'))
}

const textOf = async (service: Service, path: string): Promise<string> =>
  await (await fetch(`${service.url}${path}`)).text()

const jsonOf = async <T>(service: Service, path: string): Promise<T> =>
  JSON.parse(await textOf(service, path))

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

const publish = (url: string, topic: string, id: string) =>
  fetch(`${url}/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', Prefer: 'wait=20' },
    body: JSON.stringify({
      topic,
      event_id: id,
      timestamp: '2026-11-23T10:00:00Z',
      source: 'upgrade',
      payload: { id },
    }),
  }).then(async (answer) => (await answer.json()) as { status: string | number; seq: number })

interface Stats {
  readonly totals: Readonly<Record<string, number | null>>
  readonly topics: readonly { readonly loss_at: string | null }[]
}

test('data of d25da9c open, and entries in flight go on: once, in order, nothing lost [P2] [P4] [P5] [P7]', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const before = await unpackInto(folder.path)
  await using service = await startService(folder.path, ['--consumers', '2', '--projections', examples])
  const running = await service.ready()
  const { topics } = await eventually(async () => {
    const stats = await jsonOf<Stats>(service, '/stats')
    const outcomes = { stored: 451, duplicates: 105, conflicts: 9, dead: 1, lost: 0, in_flight: 0 }
    expect(stats.totals).toEqual({ accepted: 566, ...outcomes })
    return stats
  }, 20_000)
  expect(topics.map(({ loss_at }) => loss_at)).toEqual(topics.map(() => null))

  for (const [topic, page] of Object.entries(before.pages)) {
    const now = await textOf(service, `/events?topic=${topic}&after=0&limit=1000`)
    // Byte for byte what it was, and then what was in flight, in the order in which it was accepted.
    expect(now.startsWith(page.slice(0, -1))).toBe(true)
    const events = JSON.parse(now) as { event_id: string; seq: number }[]
    expect(events.map(({ seq }) => seq)).toEqual(numbers(1, 150))
    expect(events.map(({ event_id }) => event_id)).toEqual(numbers(0, 149).map((n) => `${topic}-${n}`))
  }

  const link = /<([^>]+)>/.exec(before.pattern.link)?.[1] ?? ''
  expect(await textOf(service, link)).toBe(`${before.pattern.next}\n`) // which ends a body now
  const receipt = await jsonOf<{ seq: number }>(service, '/events/users.login/users.login-7')
  expect(receipt.seq).toBe(8)

  await eventually(async () => {
    const projections = await jsonOf<{ name: string; status: string; lag: number }[]>(service, '/projections')
    expect(projections.map(({ status, lag }) => [status, lag])).toEqual(Array(5).fill(['live', 0]))
    // The last events of three sources: 148 to 150.
    const { keys } = await jsonOf<{ keys: { state: { topic: string; seq: number } }[] }>(
      service,
      '/projections/latest',
    )
    const ofUsers = keys.map(({ state }) => state).filter(({ topic }) => topic === 'users.login')
    expect(ofUsers.map(({ seq }) => seq).sort()).toEqual([148, 149, 150])
    const { state } = await jsonOf<{ state: unknown }>(
      service,
      '/projections/orders-per-minute/2026-11-23T10:02Z',
    )
    expect(state).toEqual({ placed: 60, paid: 0 })
  }, 20_000)

  // That version had one role, the superuser. Its tables and functions have the owner that makes them today.
  await using store = connectStore({ url: running.postgres.url, poolMax: 1, name: 'test' }, quiet)
  const { rows } = await store.pool.query(`
    SELECT DISTINCT owner::regrole::text FROM (
      SELECT relowner, relnamespace FROM pg_class UNION ALL SELECT proowner, pronamespace FROM pg_proc
    ) AS made (owner, namespace) WHERE namespace::regnamespace::text IN ('public', 'projections', 'drizzle')`)
  expect(rows).toEqual([{ owner: 'sekali_owner' }])
  // All of its processes are of this version, so nobody has to ask for the last step.
  await eventually(() => expect(service.said()).toMatch(/event keys.*are there/), 20_000)
})

test('data of d25da9c are upgraded under load, beside a consumer of that version, which is refused at the last step alone [P4] [P5]', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const before = await unpackInto(folder.path)
  await using postgres = await startPostgres({ dir: join(folder.path, 'postgres') })
  await using redis = await startRedis({ dir: join(folder.path, 'redis') })
  await using older = startOlderConsumer(postgres.url, 'older')
  await eventually(() => expect(older.stored()).toBeGreaterThan(50))
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, LOG_LEVEL: 'info' }
  const migrate = async (...args: string[]) => {
    await using app = startApp('consumer/src/migrate.ts', { ...env, NODE_OPTIONS: '' }, args)
    return { code: await app.exited, output: app.output() }
  }

  // The log is small, so all is done but the last step.
  const first = await migrate()
  expect(first).toMatchObject({ code: 0, output: expect.stringContaining('"older":["sekali-consumer-9"]') })
  const storedThen = older.stored()
  await using gateway = await startGateway(env)
  await using _one = startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'one' })
  await using _two = startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'two' })
  const ids = numbers(0, 19).map((n) => `later-${n}`)
  const answers = await Promise.all(
    ids.flatMap((id) => [publish(gateway.url, 'users.login', id), publish(gateway.url, 'users.login', id)]),
  )
  expect(answers.filter(({ status }) => status === 'stored')).toHaveLength(20)
  expect(answers.filter(({ status }) => status === 'duplicate')).toHaveLength(20)
  // What the one has stored is known to the others.
  expect(await publish(gateway.url, 'older', 'older-7')).toMatchObject({ status: 409, seq: 8 })
  await eventually(() => expect(older.stored()).toBeGreaterThan(storedThen + 50))
  await older.stop()
  await older.turn(['older-last'])

  await using store = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
  await eventually(async () => {
    // pg closes a session that is idle.
    const { output } = await migrate('--keys')
    expect(output).toContain('the upgrade to keys is done')
  }, 40_000)
  await expect(older.turn(['older-late'])).rejects.toMatchObject({
    code: 'store_unavailable',
    cause: { code: '55000' },
  })

  for (const [topic, page] of Object.entries(before.pages)) {
    const now = await (await fetch(`${gateway.url}/events?topic=${topic}&after=0&limit=1000`)).text()
    expect(now.startsWith(page.slice(0, -1))).toBe(true)
    const seqs = (JSON.parse(now) as { seq: number }[]).map(({ seq }) => seq)
    expect(seqs).toEqual(numbers(1, topic === 'users.login' ? 170 : 150))
  }
  expect(await publish(gateway.url, 'users.login', 'later-3')).toMatchObject({ status: 'duplicate' })
  const { rows } = await store.pool.query(`
    SELECT count(*)::int AS wrong FROM events
    WHERE event_key IS DISTINCT FROM event_key(topic_id, event_id)
      OR content_tag IS DISTINCT FROM content_tag(source, payload::text)`)
  expect(rows).toEqual([{ wrong: 0 }])
  const { findings } = (await (await fetch(`${gateway.url}/doctor`)).json()) as {
    findings: { check: string; level: string }[]
  }
  expect(findings.find(({ check }) => check === 'store.keys')).toMatchObject({ level: 'ok' })
})

test('a large log gets its keys beside the system that npm start has started', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await unpackInto(folder.path)
  {
    await using postgres = await startPostgres({ dir: join(folder.path, 'postgres') })
    await using store = connectStore({ url: postgres.url, poolMax: 1, name: 'test' }, quiet)
    // Empty, and counted as what it says: more than is done before anything runs.
    await store.pool.query("INSERT INTO topics (name, head) VALUES ('empty', 200000)")
  }
  await using service = await startService(folder.path, ['--consumers', '1', '--projectors', '0'])
  const running = await service.ready()
  await eventually(() => expect(service.said()).toMatch(/event keys.*are there/), 30_000)
  expect(service.said()).toMatch(/event keys.*are given to 200,\d+ events/)
  await using store = connectStore({ url: running.postgres.url, poolMax: 1, name: 'test' }, quiet)
  const { rows } = await store.pool.query(
    'SELECT count(*)::int AS keyless FROM events WHERE event_key IS NULL',
  )
  expect(rows).toEqual([{ keyless: 0 }])
})
