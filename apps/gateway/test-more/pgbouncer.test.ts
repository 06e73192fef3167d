/** A real PgBouncer between Sekali and PostgreSQL, in each of its modes. It is installed where it is missing. */
import { connectStore } from '@sekali/store/connect'
import { type App, startApp, startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { ownPgBouncer } from '@sekali/testkit/pgbouncer'
import { quiet } from '@sekali/testkit/quiet'
import { beforeAll, expect, inject, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'

beforeAll(() => requireDebian('pgbouncer'))

interface Answer {
  readonly totals: { readonly stored: number; readonly duplicates: number; readonly accepted: number }
  readonly findings: readonly { readonly check: string; readonly message: string }[]
}

const topics = ['orders', 'payments', 'stock', 'users']

/** Publishes events e1, e2, … of all topics until `until` resolves, each twice, and again until all are taken. Returns how many. */
async function publishUntil(url: string, until: Promise<void>): Promise<number> {
  let isOver = false
  const end = () => {
    isOver = true
  }
  until.then(end, end)
  let last = 0
  while (!isOver) {
    const events = topics.flatMap((topic) =>
      Array.from({ length: 25 }, (_, index) => eventBody({ topic, event_id: `e${last + index + 1}` })),
    )
    last += 25
    const body = `[${[...events, ...events].join(',')}]`
    await eventually(async () => expect((await fetch(`${url}/publish`, post(body))).status).toBe(200))
  }
  return last * topics.length
}

test.each(['session', 'transaction'])(
  'behind a PgBouncer in %s mode, restarted under load, all is stored once, in order, and folded [P4] [P5] [P7] [P9]',
  async (mode) => {
    await using database = await ownDatabase()
    await using pooler = await ownPgBouncer(database.url, { mode })
    const env = { REDIS_URL: inject('redisUrl'), REDIS_PREFIX: ownPrefix(), DATABASE_URL: pooler.url }
    await using preflight = startApp('consumer/src/operate/preflight.ts', env)
    expect(await preflight.exited).toBe(0)
    await using gateway = await startGateway(env)
    await using one = startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'one' })
    await using two = startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'two' })
    await using projector = startApp('projector/src/main.ts', env)
    const get = async (path: string) => (await (await fetch(`${gateway.url}${path}`)).json()) as Answer
    const restarts = (async () => {
      for (let restart = 1; restart <= 2; restart++) {
        const before = (await get('/stats')).totals?.stored ?? 0
        await eventually(
          async () => expect((await get('/stats')).totals.stored).toBeGreaterThan(before),
          20_000,
        )
        await pooler.restart()
      }
      const before = (await get('/stats')).totals?.stored ?? 0
      await eventually(
        async () => expect((await get('/stats')).totals.stored).toBeGreaterThan(before),
        20_000,
      )
    })()
    const ids = await publishUntil(gateway.url, restarts)
    await restarts
    await eventually(async () => {
      const { totals } = await get('/stats')
      expect(totals).toMatchObject({ stored: ids, in_flight: 0, conflicts: 0, dead: 0, lost: 0 })
      expect(totals.accepted).toBe(totals.stored + totals.duplicates)
    }, 30_000)
    await using direct = connectStore({ url: database.url, poolMax: 1, name: 'test' }, quiet)
    const { rows } = await direct.pool.query(`SELECT count(*)::integer, min(seq)::integer, max(seq)::integer,
      bool_and(event_id = 'e' || seq) AS ordered FROM events GROUP BY topic_id`)
    const each = ids / topics.length
    expect(rows).toEqual(topics.map(() => ({ count: each, min: 1, max: each, ordered: true })))
    await eventually(async () => {
      expect(await get('/projections')).toContainEqual(expect.objectContaining({ status: 'live', lag: 0 }))
    }, 20_000)
    const { findings } = await get('/doctor')
    const timeouts = findings.find(({ check }) => check === 'postgres.timeouts')
    expect(timeouts?.message).toContain('behind a pooler; transactions bring their own timeouts')
    expect(await get('/readyz')).toMatchObject({ status: 'ready', store: 'ok' })
    for (const app of [gateway, one, two, projector]) expect(app.child.exitCode).toBe(null)
  },
)

test('a PgBouncer in statement mode has no transactions, and consumers and projectors say so', async () => {
  await using database = await ownDatabase()
  await using pooler = await ownPgBouncer(database.url, { mode: 'statement' })
  const env = { REDIS_URL: inject('redisUrl'), REDIS_PREFIX: ownPrefix(), DATABASE_URL: pooler.url }
  await using gateway = await startGateway(env)
  await using consumer = startApp('consumer/src/main.ts', env)
  await using projector = startApp('projector/src/main.ts', env)
  expect((await fetch(`${gateway.url}/publish`, post(eventBody()))).status).toBe(200)
  const words =
    'behind a pooler in statement mode, in which there are no transactions (08P01): set its pool_mode'
  await eventually(() => {
    for (const app of [consumer, projector] as App[]) expect(app.output()).toContain(words)
  }, 30_000)
})
