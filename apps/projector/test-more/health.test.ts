/** A projector as what watches it sees it: ready when it can fold, and if not, why. */
import { healthOf, startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownDatabase, ownPrefix } from '@sekali/testkit/own'
import { ownPostgres, ownRedis } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { ownStack } from '../test/stack.ts'

/** A checker would have given up. */
const answerMsMax = 1_500 + 500

const says = (url: string, expected: Record<string, unknown>) =>
  eventually(async () => {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(answerMsMax) })
    expect({ code: answer.status, ...((await answer.json()) as object) }).toMatchObject(expected)
  })

test('a projector is ready when PostgreSQL takes its turns, also without Redis', async () => {
  await using redis = await ownRedis()
  await using postgres = await ownPostgres()
  await using database = await ownDatabase(postgres.url)
  const env = { REDIS_URL: redis.url, DATABASE_URL: database.url, REDIS_PREFIX: ownPrefix() }
  await using projector = startApp('projector/src/main.ts', env)
  const url = await healthOf(projector)
  await says(url, { code: 200, status: 'ready', broker: 'ok', store: 'ok', problems: [] })
  await redis.kill()
  await says(url, {
    code: 200,
    broker: 'unavailable',
    problems: [],
    warnings: [expect.stringMatching(/nothing listens where Redis/)],
  })
  await postgres.kill()
  await says(url, { code: 503, status: 'not_ready', store: 'unavailable' })
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await postgres.start()
  await says(url, { code: 200, store: 'ok' })
})

test('a folder that cannot be read is a problem, and a file that does not load a warning', async () => {
  await using stack = await ownStack()
  await stack.put('wrong.ts', 'export const = 1')
  await using projector = stack.projector('one')
  await says(await healthOf(projector), {
    code: 200,
    problems: [],
    warnings: [expect.stringMatching(/do not load: 1/)],
  })
  await using astray = startApp('projector/src/main.ts', { ...stack.env, PROJECTIONS_DIR: '/nowhere' })
  await says(await healthOf(astray), {
    code: 503,
    problems: [expect.stringMatching(/folder cannot be read \(ENOENT\); PROJECTIONS_DIR must/)],
  })
})

test('a role that may not write projections is not ready', async () => {
  await using stack = await ownStack()
  const role = `reader_${stack.env.REDIS_PREFIX}`
  await stack.store.pool.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA projections TO ${role};
     GRANT SELECT ON ALL TABLES IN SCHEMA public, projections TO ${role}`,
  )
  const url = Object.assign(new URL(stack.store.url), { username: role, password: 'pw' }).href
  await using projector = startApp('projector/src/main.ts', { ...stack.env, DATABASE_URL: url })
  await says(await healthOf(projector), {
    code: 503,
    store: 'unfit',
    problems: [expect.stringMatching(/may not do that in PostgreSQL \(42501\)/)],
  })
  await projector[Symbol.asyncDispose]()
  await stack.store.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})
