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
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { unprivilegedOwner } from '@sekali/servers/unprivileged'
import { connectStore } from '@sekali/store/connect'
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { expect, test } from 'vitest'
import { type Service, startService } from '../test/start.ts'

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
})
