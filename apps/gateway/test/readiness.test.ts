/** Servers that answer and are of no use: a gateway is not ready, and says what it is and what to do about it. */
import { type Broker, connectBroker } from '@sekali/broker/connect'
import { createLog } from '@sekali/process/log'
import { connectStore } from '@sekali/store/connect'
import { checkStore } from '@sekali/store/health'
import { eventually } from '@sekali/testkit/eventually'
import { ownAnswerer, ownSentinel, postgresError } from '@sekali/testkit/impostors'
import { ownBroker, ownPrefix } from '@sekali/testkit/own'
import { ownRedis } from '@sekali/testkit/servers'
import { expect, inject, test, vi } from 'vitest'
import { createReadiness } from '../src/operate/readiness.ts'
import { createGateway, diagnose, nowhere } from './gateway.ts'

const log = createLog('gateway', 'silent')

/** A check of two servers whose state is never remembered. */
function ownCheck({ redisUrl = inject('redisUrl'), databaseUrl = inject('postgresUrl') }) {
  const lines: string[] = []
  const said = { info: () => {}, error: () => {}, warn: (_: object, text: string) => void lines.push(text) }
  const config = { url: redisUrl, prefix: ownPrefix(), name: 'test' }
  const broker = connectBroker(config, said as unknown as Broker['log'])
  const figuresBroker = connectBroker({ ...config, isQuiet: true }, log)
  const store = connectStore({ url: databaseUrl, poolMax: 2, name: 'test' }, log)
  const { check } = createReadiness({ broker, figuresBroker, store, log }, 1_500, 0)
  return {
    check,
    lines,
    store,
    [Symbol.asyncDispose]: async () => {
      for (const one of [broker, figuresBroker, store]) await one[Symbol.asyncDispose]()
    },
  }
}

const withUrl = (url: string, changes: Partial<URL>): string => Object.assign(new URL(url), changes).href

test('a Redis that takes no writes makes the gateway not ready, for as long as it does', async () => {
  await using redis = await ownRedis()
  await using operator = await ownBroker(redis.url)
  await using system = ownCheck({ redisUrl: redis.url })
  const isFit = () =>
    eventually(async () => expect(await system.check()).toMatchObject({ broker: 'ok', problems: [] }))
  const says = (words: RegExp) =>
    eventually(async () => {
      const { broker, problems } = await system.check()
      expect({ broker, problems }).toEqual({ broker: 'unfit', problems: [expect.stringMatching(words)] })
    })
  await isFit()
  for (const [name, value, usual, words] of [
    ['maxmemory', '1', '0', /^Redis is full and refuses writes \(OOM\): see what is in flight.*maxmemory$/],
    ['min-replicas-to-write', '1', '0', /too few replicas.*NOREPLICAS.*min-replicas-to-write/],
  ] as const) {
    await operator.redis.config('SET', name, value)
    await says(words)
    await operator.redis.config('SET', name, usual)
    await isFit()
  }
  await operator.redis.replicaof('127.0.0.1', 1)
  await says(/leads to a replica.*point it at the primary/)
  await operator.redis.replicaof('NO', 'ONE')
  await isFit()

  // As it is told where one looks for it; in flight is 0.
  await operator.redis.config('SET', 'maxmemory', '1')
  await using gateway = createGateway({ ...nowhere, redisUrl: redis.url })
  const ready = await eventually(async () => {
    const answer = await gateway.app.request('/readyz')
    const body = (await answer.json()) as { broker: string; problems: string[] }
    expect(body.broker).toBe('unfit')
    return { status: answer.status, body }
  })
  expect(ready).toMatchObject({
    status: 503,
    body: { status: 'not_ready', problems: [expect.stringContaining('OOM')] },
  })
  const { findings } = await diagnose(gateway)
  expect(findings.find(({ check }) => check === 'redis.writes')).toMatchObject({
    level: 'problem',
    message: 'Redis is full and refuses writes (OOM)',
    remedy: expect.stringContaining('maxmemory'),
  })
})

test('a user who may not do what an append does is named the command', async () => {
  await using redis = await ownRedis()
  await using operator = await ownBroker(redis.url)
  const rights = ['on', '>pw', '~*', '&*', '+@all']
  await operator.redis.call('ACL', 'SETUSER', 'gateway', ...rights, '-xsetid')
  await using system = ownCheck({ redisUrl: withUrl(redis.url, { username: 'gateway', password: 'pw' }) })
  await eventually(async () => {
    const { problems } = await system.check()
    expect(problems).toEqual([expect.stringMatching(/does not allow.*NOPERM XSETID.*ACL SETUSER/)])
  })
})

test('a Sentinel, a node of a Cluster, a wrong password and TLS that only one side speaks are called by their names', async () => {
  await using sentinel = await ownSentinel()
  await using cluster = await ownRedis(['--cluster-enabled', 'yes'])
  await using deaf = await ownAnswerer(new Uint8Array())
  const usual = inject('redisUrl')
  const cases = [
    [`redis://127.0.0.1:${sentinel.port}`, 'unfit', /leads to a Sentinel.*SENTINEL GET-MASTER-ADDR-BY-NAME/],
    [cluster.url, 'unfit', /node of a Redis Cluster.*cluster-enabled no/],
    [withUrl(usual, { username: '', password: '' }), 'unavailable', /asks for a password \(NOAUTH\)/],
    [withUrl(usual, { password: 'wrong' }), 'unavailable', /refuses the user or the password \(WRONGPASS\)/],
    // A Redis without TLS takes the greeting for the beginning of a command, and waits for its end.
    [usual.replace('redis:', 'rediss:'), 'unavailable', /does not answer in time.*rediss:\/\/ is for/],
    [`redis://127.0.0.1:${deaf.port}`, 'unavailable', /closes the connection.*rediss:\/\//],
    [nowhere.redisUrl, 'unavailable', /nothing listens.*\(ECONNREFUSED\): start it/],
  ] as const
  await Promise.all(
    cases.map(async ([redisUrl, broker, words]) => {
      await using system = ownCheck({ redisUrl })
      await eventually(async () => {
        expect(await system.check()).toMatchObject({ broker, problems: [expect.stringMatching(words)] })
      })
      if (broker === 'unavailable') expect(system.lines).toEqual([expect.stringMatching(words)])
    }),
  )
  await using gateway = createGateway({ ...nowhere, redisUrl: `redis://127.0.0.1:${sentinel.port}` })
  await eventually(async () => {
    const { findings } = await diagnose(gateway)
    const role = findings.find(({ check }) => check === 'redis.role')
    expect(role).toMatchObject({ level: 'problem', message: expect.stringContaining('Sentinel') })
  })
})

test('a fault of PostgreSQL is reported, and does not make the gateway less ready', async () => {
  const refusal = postgresError('08P01', 'unsupported startup parameter: statement_timeout')
  await using pooler = await ownAnswerer(refusal)
  await using starting = await ownAnswerer(postgresError('57P03', 'the database system is starting up'))
  await using full = await ownAnswerer(postgresError('53300', 'sorry, too many clients already'))
  const usual = inject('postgresUrl')
  const at = ({ port }: { readonly port: number }) => `postgres://u:p@127.0.0.1:${port}/d`
  const cases = [
    [
      at(pooler),
      'unavailable',
      /behind a pooler that refuses startup parameters \(08P01\): point DATABASE_URL/,
    ],
    [at(starting), 'unavailable', /starting up.*\(57P03\)/],
    [at(full), 'unavailable', /no connection left \(53300\)/],
    [withUrl(usual, { password: 'wrong' }), 'unavailable', /refuses the user or the password \(28P01\)/],
    [withUrl(usual, { pathname: '/nothing' }), 'unavailable', /database does not exist \(3D000\)/],
    [usual, 'unfit', /tables are missing.*migrate/],
    [nowhere.databaseUrl, 'unavailable', /nothing listens.*ECONNREFUSED/],
  ] as const
  await Promise.all(
    cases.map(async ([databaseUrl, store, words]) => {
      await using system = ownCheck({ databaseUrl })
      await eventually(async () => {
        const warnings = [expect.stringMatching(words)]
        expect(await system.check()).toMatchObject({ broker: 'ok', problems: [], store, warnings })
      })
      // So says the log of every process that needs PostgreSQL: an error of ours has its message there.
      if (store === 'unavailable') await expect(checkStore(system.store)).rejects.toThrow(words)
    }),
  )
  await using gateway = createGateway({ redisUrl: inject('redisUrl'), databaseUrl: at(pooler) })
  const { findings } = await diagnose(gateway)
  expect(findings.find(({ check }) => check === 'postgres.reachable')).toMatchObject({
    message: expect.stringContaining('behind a pooler'),
    remedy: expect.stringMatching(
      /^point DATABASE_URL at PostgreSQL itself; ignore_startup_parameters of PgBouncer/,
    ),
  })
})

test('Redis is asked once a second, however often somebody looks, and the connection that appends counts as well', async () => {
  await using redis = await ownRedis()
  await using gateway = createGateway({ ...nowhere, redisUrl: redis.url })
  const status = async () => (await gateway.app.request('/readyz')).status
  await eventually(async () => expect(await status()).toBe(200))
  const trials = async () =>
    Number(/cmdstat_xsetid:calls=(\d+)/.exec(await gateway.broker.redis.info('commandstats'))?.[1])
  const before = await trials()
  await Promise.all(Array.from({ length: 200 }, status))
  expect((await trials()) - before).toBeLessThanOrEqual(1)

  // What may be slow, and be given up together with its connection, goes over the other one.
  for (const path of ['/stats', '/doctor']) expect((await gateway.app.request(path)).status).toBe(200)
  await using operator = await ownBroker(redis.url)
  const clients = String(await operator.redis.client('LIST')).split('\n')
  const lastOf = (name: string) =>
    clients.filter((line) => line.includes(` name=${name} `)).map((line) => /cmd=(\S+)/.exec(line)?.[1])
  expect(lastOf('test-figures')).toEqual([expect.stringMatching(/^(time|eval|evalsha|xrange|smembers)$/)])
  expect(lastOf('test')).not.toContainEqual(expect.stringMatching(/^(time|eval|evalsha|xrange|smembers)$/))

  // It would come back by itself.
  vi.spyOn(gateway.broker.redis, 'connect').mockRejectedValue(new Error('not yet'))
  gateway.broker.redis.disconnect()
  await eventually(async () => expect(await status()).toBe(503))
})

test('PostgreSQL is asked once for all who ask at the same time, and again by who asks later', async () => {
  await using broker = await ownBroker()
  await using store = connectStore({ url: inject('postgresUrl'), poolMax: 8, name: 'test' }, log)
  let asked = 0
  store.pool.on('acquire', () => asked++)
  const { check } = createReadiness({ broker, figuresBroker: broker, store, log }, 10_000, 60_000)
  const outcomes = await Promise.all(Array.from({ length: 20 }, check))
  expect(new Set(outcomes.map((one) => one.store)).size).toBe(1)
  expect(asked).toBe(1)
  await check()
  expect(asked).toBe(2)
})
